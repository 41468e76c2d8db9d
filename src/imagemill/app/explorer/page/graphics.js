// The same passes on the graphics card (WebGL 2): the pixels that processor.js makes, at the size of the screen.

const MOST = 6;
/** Stages of colour, and windows, that one pass may have here; more is left to processor.js. */

const VERTEX = `#version 300 es
void main() {
  vec2 at = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(at, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D source;
uniform ivec2 size;         // of the level that is read: columns, rows
uniform int level, order, border, windows, fronts, backs;
uniform vec4 view;          // where the picture stands: left, bottom, width, height
uniform vec2 frame;         // of the output: columns, rows
uniform bool downwards;     // whether row 0 is at the top of what is drawn into
uniform mat3 map, windowMap[${MOST}];
uniform vec2 windowSize[${MOST}];
uniform vec3 fill, windowFill[${MOST}];
uniform mat4 frontMix[${MOST}], backMix[${MOST}];
uniform vec3 frontCurve[${MOST}], backCurve[${MOST}];
out vec4 colour;

int inside(int i, int n) {
  if (i >= 0 && i < n) return i;
  if (border == 1) return -1;
  if (border == 2) { int at = ((i % (2 * n)) + 2 * n) % (2 * n); return at < n ? at : 2 * n - 1 - at; }
  if (border == 3) {
    if (n == 1) return 0;
    int at = ((i % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2);
    return at < n ? at : 2 * n - 2 - at;
  }
  if (border == 4) return ((i % n) + n) % n;
  return i < 0 ? 0 : n - 1;
}

vec3 bent(vec3 x, vec3 curve) {
  if (curve.x == 1.0) return 255.0 * pow(max(x, 0.0) / 255.0, vec3(curve.y));
  vec3 t = clamp(x / 255.0, 0.0, 1.0), s = 1.0 - t;
  return x + 255.0 * (t * (3.0 * s * (s * curve.y + t * curve.z) + t * t) - t);
}

vec3 tap(int x, int y) {
  int column = inside(x, size.x), row = inside(y, size.y);
  if (column < 0 || row < 0) return fill;
  vec3 v = texelFetch(source, ivec2(column, row), level).rgb * 255.0;
  if (fronts == 0) return v;
  for (int i = 0; i < fronts; i++) v = frontCurve[i].x > 0.0 ? bent(v, frontCurve[i]) : (frontMix[i] * vec4(v, 1.0)).rgb;
  return floor(clamp(v, 0.0, 255.0) + 0.5);
}

vec3 found(vec2 p) {
  for (int i = 0; i < windows; i++) {
    vec3 w = windowMap[i] * vec3(p, 1.0);
    vec2 at = w.xy / w.z;
    if (any(lessThan(at, vec2(-0.5))) || any(greaterThanEqual(at, windowSize[i] - 0.5))) return windowFill[i];
  }
  vec3 q = map * vec3(p, 1.0);
  vec2 at = q.xy / q.z;
  if (order == 0) { ivec2 near = ivec2(floor(at + 0.5)); return tap(near.x, near.y); }
  ivec2 low = ivec2(floor(at));
  vec2 part = at - floor(at);
  vec3 above = mix(tap(low.x, low.y), tap(low.x + 1, low.y), part.x);
  vec3 below = mix(tap(low.x, low.y + 1), tap(low.x + 1, low.y + 1), part.x);
  return mix(above, below, part.y);
}

void main() {
  vec2 at = (gl_FragCoord.xy - view.xy) / view.zw;
  if (!downwards) at.y = 1.0 - at.y;
  // Where the screen has more pixels than the frame, each of the frame's is shown as it is.
  vec2 p = at * frame;
  p = all(greaterThanEqual(view.zw, frame)) ? floor(p) : p - 0.5;
  vec3 v = found(p);
  for (int i = 0; i < backs; i++) v = backCurve[i].x > 0.0 ? bent(v, backCurve[i]) : (backMix[i] * vec4(v, 1.0)).rgb;
  colour = vec4(floor(clamp(v, 0.0, 255.0) + 0.5) / 255.0, 1.0);
}`;

/** Something that draws passes of a photo onto a canvas; null where the browser has no WebGL 2. */
function graphicsOf(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, preserveDrawingBuffer: true, premultipliedAlpha: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.bindVertexArray(gl.createVertexArray());
  const places = new Map(), kept = [];
  const place = (name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
    return places.get(name);
  };
  const photo = { texture: gl.createTexture(), shape: [0, 0], levels: 1 };

  function load(source, shape) {
    gl.bindTexture(gl.TEXTURE_2D, photo.texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    if (source.data) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, shape[1], shape[0], 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(source.data.buffer));
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    Object.assign(photo, { shape, levels: 1 + Math.floor(Math.log2(Math.max(...shape))) });
  }

  /** A texture of a size to draw into, the same one each time. */
  function target(number, [rows, columns]) {
    const at = (kept[number] ??= { texture: gl.createTexture(), buffer: gl.createFramebuffer(), shape: [0, 0] });
    if (at.shape[0] !== rows || at.shape[1] !== columns) {
      gl.bindTexture(gl.TEXTURE_2D, at.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, columns, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      gl.bindFramebuffer(gl.FRAMEBUFFER, at.buffer);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, at.texture, 0);
      at.shape = [rows, columns];
      at.levels = 1;
    }
    return at;
  }

  // Shaders count (x, y), columns first; matrices here take (y, x).
  const swapped = ([[a, b, c], [d, e, f], [g, h, i]]) => [e, b, h, d, a, g, f, c, i];

  function stages(name, list) {
    gl.uniform1i(place(`${name}s`), list.length);
    list.forEach((stage, i) => {
      const kind = { gamma: 1, bezier: 2 }[stage.curve] ?? 0;
      gl.uniform3f(place(`${name}Curve[${i}]`), kind, stage.low ?? 0, stage.high ?? 0);
      if (kind) return;
      const m = stage.matrix, o = stage.offset;
      const columns = [0, 1, 2].flatMap((c) => [m[0][c], m[1][c], m[2][c], 0]);
      gl.uniformMatrix4fv(place(`${name}Mix[${i}]`), false, [...columns, ...o, 1]);
    });
  }

  /** One pass from a source texture into what is bound. */
  function draw(from, pass, view, downwards, whole) {
    const shrink = from.shape.map((n, i) => n / pass.inShape[i]);
    const seen = spans(pass.matrix, pass.shape).map((f, i) => f * shrink[i] * Math.max(pass.shape[i] / view[3 - i], 1));
    const level = whole ? 0 : Math.min(Math.max(Math.floor(Math.log2(Math.sqrt(seen[0] * seen[1])) + 0.01), 0), from.levels - 1);
    const size = from.shape.map((n) => Math.max(n >> level, 1));
    const scale = size.map((n, i) => n / pass.inShape[i]);
    const onLevel = [[scale[0], 0, 0.5 * (scale[0] - 1)], [0, scale[1], 0.5 * (scale[1] - 1)], [0, 0, 1]];
    const m = scale[0] === 1 && scale[1] === 1 ? pass.matrix : times(onLevel, pass.matrix);
    gl.bindTexture(gl.TEXTURE_2D, from.texture);
    gl.uniform2i(place("size"), size[1], size[0]);
    gl.uniform1i(place("level"), level);
    gl.uniform1i(place("order"), (pass.sampling.order ?? 1) === 0 ? 0 : 1);
    gl.uniform1i(place("border"), { constant: 1, reflect: 2, mirror: 3, wrap: 4 }[pass.sampling.border] ?? 0);
    gl.uniform3fv(place("fill"), filled(pass.sampling.fill));
    gl.uniformMatrix3fv(place("map"), false, swapped(m));
    gl.uniform1i(place("windows"), pass.windows.length);
    pass.windows.forEach((one, i) => {
      gl.uniformMatrix3fv(place(`windowMap[${i}]`), false, swapped(one.matrix));
      gl.uniform2f(place(`windowSize[${i}]`), one.shape[1], one.shape[0]);
      gl.uniform3fv(place(`windowFill[${i}]`), filled(one.fill));
    });
    stages("front", pass.front);
    stages("back", pass.back);
    gl.uniform4f(place("view"), view[0], view[1], view[2], view[3]);
    gl.uniform2f(place("frame"), pass.shape[1], pass.shape[0]);
    gl.uniform1i(place("downwards"), downwards ? 1 : 0);
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
