// Passes over pixels in plain JavaScript: for browsers without WebGL, for the means that contrast asks for, and exact to
// the last averages where images shrink. An image is {shape: [y, x], data}, four bytes a pixel.

/** The place of a pixel within n; -1 is the fill. */
function bordered(i, n, border) {
  if (i >= 0 && i < n) return i;
  switch (border) {
    case "constant": return -1;
    case "wrap": return ((i % n) + n) % n;
    case "reflect": {
      const at = ((i % (2 * n)) + 2 * n) % (2 * n);
      return at < n ? at : 2 * n - 1 - at;
    }
    case "mirror": {
      if (n === 1) return 0;
      const at = ((i % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2);
      return at < n ? at : 2 * n - 2 - at;
    }
    default: return i < 0 ? 0 : n - 1;
  }
}

/** A function that reads the pixel at a place of the output into an array. */
function reader(image, pass, front) {
  const [height, width] = image.shape, { data } = image, m = pass.matrix;
  const order = pass.sampling.order ?? 1, border = pass.sampling.border ?? "nearest", fill = filled(pass.sampling.fill);
  const windows = pass.windows.map((one) => ({ ...one, fill: filled(one.fill) }));
  const tap = [0, 0, 0];
  const read = (y, x) => {
    const row = bordered(y, height, border), column = bordered(x, width, border);
    if (row < 0 || column < 0) return fill;
    const at = 4 * (row * width + column);
    for (let c = 0; c < 3; c++) tap[c] = data[at + c];
    if (front.length) {
      coloured(front, tap);
      for (let c = 0; c < 3; c++) tap[c] = even(Math.min(Math.max(tap[c], 0), 255));
    }
    return tap;
  };
  return (py, px, out) => {
    for (const one of windows) {
      const [y, x] = mapped(one.matrix, [py, px]);
      if (!(y >= -0.5 && y < one.shape[0] - 0.5 && x >= -0.5 && x < one.shape[1] - 0.5)) {
        for (let c = 0; c < 3; c++) out[c] = one.fill[c];
        return;
      }
    }
    const w = m[2][0] * py + m[2][1] * px + m[2][2];
    const y = (m[0][0] * py + m[0][1] * px + m[0][2]) / w, x = (m[1][0] * py + m[1][1] * px + m[1][2]) / w;
    if (order === 0) {
      const found = read(Math.floor(y + 0.5), Math.floor(x + 0.5));
      for (let c = 0; c < 3; c++) out[c] = found[c];
      return;
    }
    const top = Math.floor(y), left = Math.floor(x), v = y - top, u = x - left;
    out[0] = out[1] = out[2] = 0;
    for (let j = 0; j < 2; j++) {
      for (let i = 0; i < 2; i++) {
        const share = (j ? v : 1 - v) * (i ? u : 1 - u);
        if (share === 0) continue;
        const found = read(top + j, left + i);
        for (let c = 0; c < 3; c++) out[c] += share * found[c];
      }
    }
  };
}

/** Means over whole blocks of pixels; where the last block is short, what the border shows fills it up. */
function blockMeans(image, [fy, fx], border, fill) {
  const [height, width] = image.shape, shape = [Math.ceil(height / fy), Math.ceil(width / fx)];
  const data = new Float32Array(4 * shape[0] * shape[1]), share = 1 / (fy * fx);
  for (let y = 0; y < shape[0] * fy; y++) {
    const row = bordered(y, height, border), to = Math.floor(y / fy) * shape[1];
    for (let x = 0; x < shape[1] * fx; x++) {
      const column = bordered(x, width, border), from = 4 * (row * width + column), at = 4 * (to + Math.floor(x / fx));
      for (let c = 0; c < 3; c++) data[at + c] += (row < 0 || column < 0 ? fill[c] : image.data[from + c]) * share;
    }
  }
  return { shape, data };
}

/** Means over exactly as many pixels of one axis as an output pixel spans; linear between pixels where that is one. */
function lineMeans(image, axis, places, width, border) {
  const [height, wide] = image.shape, n = image.shape[axis], count = places.length;
  const shape = axis === 0 ? [count, wide] : [height, count];
  const data = new Float32Array(4 * shape[0] * shape[1]), other = axis === 0 ? wide : height;
  const step = axis === 0 ? 4 * wide : 4, along = axis === 0 ? 4 : 4 * wide;
  const toStep = axis === 0 ? 4 * shape[1] : 4, toAlong = axis === 0 ? 4 : 4 * shape[1];
  places.forEach((centre, k) => {
    const low = centre - width / 2, taps = [];
    if (width > 1) {
      const start = Math.floor(low + 0.5);
      for (let i = start; i <= start + Math.ceil(width); i++) {
        const share = (Math.min(i + 0.5, low + width) - Math.max(i - 0.5, low)) / width;
        if (share > 0) taps.push([bordered(i, n, border), share]);
      }
    } else {
      const first = Math.floor(centre);
      taps.push([bordered(first, n, border), 1 - (centre - first)], [bordered(first + 1, n, border), centre - first]);
    }
    for (let j = 0; j < other; j++) {
      for (const [i, share] of taps) {
        if (i < 0) continue;
        for (let c = 0; c < 3; c++) data[k * toStep + j * toAlong + c] += share * image.data[i * step + j * along + c];
      }
    }
  });
  return { shape, data };
}

/** The image and the pass with everything averaged first that shrinks by more than two, as the engine does. */
function averagedFirst(image, pass) {
  const order = pass.sampling.order ?? 1;
  if (!pass.sampling.antialias || order === 0) return [image, pass];
  const factors = spans(pass.matrix, pass.shape).map((f) => (f > 2 ? f : 1));
  if (Math.max(...factors) === 1) return [image, pass];
  const source = pass.front.length ? runPass(image, { ...pass, matrix: IDENTITY, windows: [], sampling: {}, shape: image.shape, back: [] }) : image;
  const m = pass.matrix, straight = m[0][1] === 0 && m[1][0] === 0 && m[2][0] === 0 && m[2][1] === 0;
  const border = pass.sampling.border ?? "nearest";
  if (straight && border !== "constant") {
    const places = (i) => Array.from({ length: pass.shape[i] }, (_, k) => m[i][i] * k + m[i][2]);
    const rows = lineMeans(source, 0, places(0), factors[0], border);
    return [lineMeans(rows, 1, places(1), factors[1], border), { ...pass, front: [], matrix: IDENTITY, sampling: { border } }];
  }
  const blocks = factors.map(Math.floor);
  const shrunk = [[1 / blocks[0], 0, -0.5 * (1 - 1 / blocks[0])], [0, 1 / blocks[1], -0.5 * (1 - 1 / blocks[1])], [0, 0, 1]];
  return [blockMeans(source, blocks, border, filled(pass.sampling.fill)), { ...pass, front: [], matrix: times(shrunk, m) }];
}

/** One pass over an image. */
function runPass(given, asked) {
  const [image, pass] = averagedFirst(given, asked), [height, width] = pass.shape;
  const front = pass.front.some((s) => s.pivot) ? resolved(pass.front, sampledPixels(image, image.shape, identityReader(image))) : pass.front;
  const read = reader(image, pass, front);
  const back = pass.back.some((s) => s.pivot) ? resolved(pass.back, sampledPixels(image, pass.shape, read)) : pass.back;
  const data = new Uint8ClampedArray(4 * height * width), pixel = [0, 0, 0];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      read(y, x, pixel);
      coloured(back, pixel);
      // Clamped bytes round halves to even, as the engine does.
      for (let c = 0; c < 3; c++) data[at + c] = pixel[c];
      data[at + 3] = 255;
    }
  }
  return { shape: pass.shape, data };
}

function identityReader(image) {
  return (y, x, out) => {
    const at = 4 * (y * image.shape[1] + x);
    for (let c = 0; c < 3; c++) out[c] = image.data[at + c];
  };
}

/** The colours of a frame one after the other; of `most` at most along each axis. */
function sampledPixels(image, shape, read, most = Infinity) {
  const [rows, columns] = shape.map((n) => Math.min(n, most)), out = new Float64Array(3 * rows * columns), pixel = [0, 0, 0];
  for (let j = 0, at = 0; j < rows; j++) {
    const y = Math.floor(((j + 0.5) * shape[0]) / rows);
    for (let i = 0; i < columns; i++, at += 3) {
      read(y, Math.floor(((i + 0.5) * shape[1]) / columns), pixel);
      out.set(pixel, at);
    }
  }
  return out;
}

function runAll(image, passes) {
  return passes.reduce(runPass, image);
}

/** A pass for a source and an output of other sizes than their frames have: what a screen shows of it. */
function atSize(pass, source, view) {
  const out = resized(pass.shape, view), matrix = chained(resized(source, pass.inShape), pass.matrix, out);
  const windows = pass.windows.map((one) => ({ ...one, matrix: times(one.matrix, out) }));
  return { ...pass, matrix, windows, inShape: source, shape: view, sampling: { ...pass.sampling, antialias: false } };
}

/** All passes as a screen shows them: a small source, and frames so many times as large as they are. */
function smaller(passes, source, share) {
  const size = (shape) => shape.map((n) => Math.max(Math.round(n * share), 1));
  return passes.map((pass, i) => atSize(pass, i ? size(pass.inShape) : source, size(pass.shape)));
}

/** Passes whose contrast knows the means it turns about, from an image that may be smaller than the photo. */
function withMeans(passes, image, most) {
  if (!passes.some((pass) => [...pass.front, ...pass.back].some((stage) => stage.pivot))) return passes;
  let seen = image;
  return passes.map((pass, i) => {
    const small = most === Infinity ? pass : atSize(pass, seen.shape, pass.shape.map((n) => Math.min(n, most)));
    const turns = (stages) => stages.some((stage) => stage.pivot);
    const front = turns(pass.front) ? resolved(pass.front, sampledPixels(seen, seen.shape, identityReader(seen), most)) : pass.front;
    let { back } = pass;
    if (turns(back)) {
      const [source, asked] = averagedFirst(seen, { ...small, front });
      back = resolved(back, sampledPixels(source, asked.shape, reader(source, asked, asked.front), most));
    }
    if (i < passes.length - 1) seen = runPass(seen, { ...small, front, back });
    return { ...pass, front, back };
  });
}
