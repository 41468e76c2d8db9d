// The same passes on the graphics card (WebGL 2): the pixels that processor.js makes, at the size of the screen.

/** Stages of colour, and windows, that one pass may have here; more is left to processor.js. */
const MOST = 6;

const VERTEX = `#version 300 es
void main() {
  vec2 at = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(at, 0.0, 1.0);
}`;

// Places within n pixels, in numbers of floating point: remainders of whole numbers are slow without a graphics card.
const PLACES = {
  nearest: "return clamp(i, vec4(0.0), n - 1.0);",
  constant: "return mix(i, vec4(-1.0), vec4(notEqual(i, clamp(i, vec4(0.0), n - 1.0))));",
  wrap: "return i - n * floor((i + 0.5) / n);",
  reflect: "vec4 at = i - 2.0 * n * floor((i + 0.5) / (2.0 * n)); return min(at, 2.0 * n - 1.0 - at);",
  mirror: "vec4 round = max(2.0 * n - 2.0, 1.0), at = i - round * floor((i + 0.5) / round); return min(at, round - at);",
};

function stagesText(name, kinds) {
  return kinds.map((kind, i) => (kind
    ? `v = ${kind}(v, ${name}Curve[${i}]);`
    : `v = (${name}Mix[${i}] * vec4(v, 1.0)).rgb;`)).join("\n  ");
}

/**
 * The program of one kind of pass. There is one for each kind, since a program that asks at every pixel what it should do
 * takes many times as long where there is no graphics card. `filters` says that the card's own interpolation will do.
 */
function fragmentText({ order, border, windows, front, back, exact, affine, filters }) {
  const count = (list) => Math.max(list.length ?? list, 1);
  return `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D source;
uniform vec2 size;          // of the level that is read: columns, rows
uniform float level;
uniform vec3 fill, windowFill[${count(windows)}];
uniform mat3 view, map, windowMap[${count(windows)}];
uniform vec2 windowSize[${count(windows)}];
uniform mat4 frontMix[${count(front)}], backMix[${count(back)}];
uniform vec2 frontCurve[${count(front)}], backCurve[${count(back)}];
out vec4 colour;

vec4 inside(vec4 i, vec4 n) { ${PLACES[border]} }

vec3 gamma(vec3 x, vec2 curve) { return 255.0 * pow(max(x, 0.0) / 255.0, vec3(curve.x)); }

vec3 bezier(vec3 x, vec2 curve) {
  vec3 t = clamp(x / 255.0, 0.0, 1.0), s = 1.0 - t;
  return x + 255.0 * (t * (3.0 * s * (s * curve.x + t * curve.y) + t * t) - t);
}

vec3 tap(float x, float y) {
  ${border === "constant" ? "if (x < 0.0 || y < 0.0) return fill;" : ""}
  vec3 v = texelFetch(source, ivec2(x, y), int(level)).rgb * 255.0;
  ${front.length ? `${stagesText("front", front)}\n  v = floor(clamp(v, 0.0, 255.0) + 0.5);` : ""}
  return v;
}

vec3 found(vec3 p) {
  ${Array.from({ length: windows }, (_, i) => `
  vec3 w${i} = windowMap[${i}] * p;
  vec2 at${i} = w${i}.xy / w${i}.z;
  if (any(lessThan(at${i}, vec2(-0.5))) || any(greaterThanEqual(at${i}, windowSize[${i}] - 0.5))) return windowFill[${i}];`).join("")}
  vec3 q = map * p;
  vec2 at = ${affine ? "q.xy" : "q.xy / q.z"};
  ${filters ? "return textureLod(source, (at + 0.5) / size, level).rgb * 255.0;" : order === 0 ? `
  vec4 near = inside(floor(at.xyxy + 0.5), size.xyxy);
  return tap(near.x, near.y);` : `
  vec2 low = floor(at), part = at - low;
  vec4 i = inside(vec4(low, low + 1.0), size.xyxy);
  return mix(mix(tap(i.x, i.y), tap(i.z, i.y), part.x), mix(tap(i.x, i.w), tap(i.z, i.w), part.x), part.y);`}
}

void main() {
  ${exact ? "vec3 p = vec3(floor((view * vec3(gl_FragCoord.xy, 1.0)).xy + 0.5), 1.0);" : "vec3 p = vec3(gl_FragCoord.xy, 1.0);"}
  vec3 v = found(p);
  ${stagesText("back", back)}
  colour = vec4(floor(clamp(v, 0.0, 255.0) + 0.5) / 255.0, 1.0);
}`;
}

/** Something that draws passes of a photo onto a canvas; null where the browser has no WebGL 2. */
function graphicsOf(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, preserveDrawingBuffer: true, premultipliedAlpha: true });
  if (!gl) return null;
  gl.bindVertexArray(gl.createVertexArray());
  const programs = new Map(), samplers = new Map(), kept = [];

  function shaderOf(kind, text) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    return shader;
  }

  /** The program for a kind of pass, with the places of its numbers. */
  function programOf(kind) {
    const name = JSON.stringify(kind);
    if (!programs.has(name)) {
      const made = gl.createProgram(), places = new Map();
      gl.attachShader(made, shaderOf(gl.VERTEX_SHADER, VERTEX));
      gl.attachShader(made, shaderOf(gl.FRAGMENT_SHADER, fragmentText(kind)));
      gl.linkProgram(made);
      programs.set(name, { made, place: (uniform) => {
        if (!places.has(uniform)) places.set(uniform, gl.getUniformLocation(made, uniform));
        return places.get(uniform);
      } });
    }
    gl.useProgram(programs.get(name).made);
    return programs.get(name).place;
  }

  /** How a texture is read: nearest pixels, or interpolated with a border. */
  function samplerOf(filters, border) {
    const name = filters ? border : "fetched";
    if (!samplers.has(name)) {
      const made = gl.createSampler(), wrap = { reflect: gl.MIRRORED_REPEAT, wrap: gl.REPEAT }[name] ?? gl.CLAMP_TO_EDGE;
      gl.samplerParameteri(made, gl.TEXTURE_MIN_FILTER, filters ? gl.LINEAR_MIPMAP_NEAREST : gl.NEAREST_MIPMAP_NEAREST);
      gl.samplerParameteri(made, gl.TEXTURE_MAG_FILTER, filters ? gl.LINEAR : gl.NEAREST);
      gl.samplerParameteri(made, gl.TEXTURE_WRAP_S, wrap);
      gl.samplerParameteri(made, gl.TEXTURE_WRAP_T, wrap);
      samplers.set(name, made);
    }
    return samplers.get(name);
  }

  const photo = { texture: gl.createTexture(), shape: [0, 0], levels: 1 };

  function load(source, shape) {
    gl.bindTexture(gl.TEXTURE_2D, photo.texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    if (source.data) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, shape[1], shape[0], 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(source.data.buffer));
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
    gl.generateMipmap(gl.TEXTURE_2D);
    Object.assign(photo, { shape, levels: 1 + Math.floor(Math.log2(Math.max(...shape))) });
  }

  /** A texture of a size to draw into, the same one each time. */
  function target(number, [rows, columns]) {
    const at = (kept[number] ??= { texture: gl.createTexture(), buffer: gl.createFramebuffer(), shape: [0, 0] });
    if (at.shape[0] !== rows || at.shape[1] !== columns) {
      gl.bindTexture(gl.TEXTURE_2D, at.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, columns, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, 0);
      gl.bindFramebuffer(gl.FRAMEBUFFER, at.buffer);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, at.texture, 0);
      at.shape = [rows, columns];
      at.levels = 1;
    }
    return at;
  }

  // Shaders count (x, y), columns first; matrices here take (y, x).
  const swapped = ([[a, b, c], [d, e, f], [g, h, i]]) => [e, b, h, d, a, g, f, c, i];

  function stages(place, name, list) {
    list.forEach((stage, i) => {
      if (stage.curve) {
        gl.uniform2f(place(`${name}Curve[${i}]`), stage.low, stage.high);
        return;
      }
      const m = stage.matrix, columns = [0, 1, 2].flatMap((c) => [m[0][c], m[1][c], m[2][c], 0]);
      gl.uniformMatrix4fv(place(`${name}Mix[${i}]`), false, [...columns, ...stage.offset, 1]);
    });
  }

  /** The map from places of what is drawn into (columns from the left, rows from the bottom, halves at centres) to the frame. */
  function fromView([left, bottom, width, height], shape, downwards) {
    const y = shape[0] / height, x = shape[1] / width;
    return [[downwards ? y : -y, 0, downwards ? -0.5 - y * bottom : shape[0] - 0.5 + y * bottom], [0, x, -0.5 - x * left], [0, 0, 1]];
  }

  /** One pass from a source texture into what is bound; `whole` reads all its pixels, however small it is shown. */
  function draw(from, pass, view, downwards, whole) {
    const shrink = from.shape.map((n, i) => n / pass.inShape[i]);
    const seen = spans(pass.matrix, pass.shape).map((f, i) => f * shrink[i] * Math.max(pass.shape[i] / view[3 - i], 1));
    const level = whole ? 0 : Math.min(Math.max(Math.floor(Math.log2(Math.sqrt(seen[0] * seen[1])) + 0.01), 0), from.levels - 1);
    const size = from.shape.map((n) => Math.max(n >> level, 1));
    const same = size.every((n, i) => n === pass.inShape[i]), m = same ? pass.matrix : times(resized(size, pass.inShape), pass.matrix);
    const toFrame = fromView(view, pass.shape, downwards);
    // Where the screen has more pixels than the frame, each of the frame's is shown as it is.
    const exact = whole || (view[2] >= pass.shape[1] && view[3] >= pass.shape[0]), seenAs = (matrix) => swapped(exact ? matrix : times(matrix, toFrame));
    const border = pass.sampling.border ?? "nearest", order = (pass.sampling.order ?? 1) === 0 ? 0 : 1;
    const filters = order === 1 && !pass.front.length && ["nearest", "reflect", "wrap"].includes(border);
    const affine = m[2][0] === 0 && m[2][1] === 0, kinds = (list) => list.map((stage) => stage.curve ?? "");
    const place = programOf({ order, border, windows: pass.windows.length, front: kinds(pass.front), back: kinds(pass.back), exact, affine, filters });
    gl.bindTexture(gl.TEXTURE_2D, from.texture);
    gl.bindSampler(0, samplerOf(filters, border));
    gl.uniform2f(place("size"), size[1], size[0]);
    gl.uniform1f(place("level"), level);
    gl.uniform3fv(place("fill"), filled(pass.sampling.fill));
    gl.uniformMatrix3fv(place("view"), false, swapped(toFrame));
    gl.uniformMatrix3fv(place("map"), false, seenAs(m));
    pass.windows.forEach((one, i) => {
      gl.uniformMatrix3fv(place(`windowMap[${i}]`), false, seenAs(one.matrix));
      gl.uniform2f(place(`windowSize[${i}]`), one.shape[1], one.shape[0]);
      gl.uniform3fv(place(`windowFill[${i}]`), filled(one.fill));
    });
    stages(place, "front", pass.front);
    stages(place, "back", pass.back);
    gl.viewport(...view);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** All passes but the last, into textures no larger than they are seen. */
  function before(passes, share) {
    return passes.slice(0, -1).reduce((from, pass, i) => {
      const shape = pass.shape.map((n) => Math.max(Math.ceil(n * share), 1)), to = target(i % 2, shape);
      gl.bindFramebuffer(gl.FRAMEBUFFER, to.buffer);
      draw(from, pass, [0, 0, shape[1], shape[0]], true, share === 1);
      return to;
    }, photo);
  }

  return {
    load,
    fits: (passes) => passes.every((p) => p.windows.length <= MOST && p.front.length <= MOST && p.back.length <= MOST),
    limit: gl.getParameter(gl.MAX_TEXTURE_SIZE),
    renderer: gl.getParameter(gl.RENDERER),
    lost: () => gl.isContextLost(),

    begin() {
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
    },

    /** Draw into a part of the canvas: left, top, width, height in its pixels. */
    show(passes, [left, top, width, height]) {
      const last = passes[passes.length - 1], share = Math.min(1, width / last.shape[1]);
      const from = before(passes, share);
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
      draw(from, last, [left, canvas.height - top - height, width, height], false, false);
    },

    /** The pixels of the last frame, at its own size. */
    pixels(passes) {
      const last = passes[passes.length - 1], from = before(passes, 1), to = target(2, last.shape), [rows, columns] = last.shape;
      gl.bindFramebuffer(gl.FRAMEBUFFER, to.buffer);
      draw(from, last, [0, 0, columns, rows], true, true);
      const data = new Uint8ClampedArray(4 * rows * columns);
      gl.readPixels(0, 0, columns, rows, gl.RGBA, gl.UNSIGNED_BYTE, data);
      return { shape: last.shape, data };
    },

    finish() {
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    },
  };
}
