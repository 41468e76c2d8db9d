// Matrices 3 x 3 as nested lists. As in imagemill.core.geometry: indices (y, x), pixel centres at whole numbers, and
// maps that pull: from the output to the input.

const IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

function times(a, b) {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
}

function chained(...matrices) {
  return matrices.reduce(times);
}

function translation(y, x) {
  return [[1, 0, y], [0, 1, x], [0, 0, 1]];
}

function scaling(y, x) {
  return [[y, 0, 0], [0, x, 0], [0, 0, 1]];
}

function centreOf(shape) {
  return [(shape[0] - 1) / 2, (shape[1] - 1) / 2];
}

/** A linear map about a centre. */
function about(linear, centre) {
  const [[a, b], [c, d]] = linear, [y, x] = centre;
  return [[a, b, y - a * y - b * x], [c, d, x - c * y - d * x], [0, 0, 1]];
}

/** Cosine and sine of degrees, exact at multiples of 90. */
function cosSin(degrees) {
  const turns = Math.round(degrees / 90), rest = ((degrees - 90 * turns) * Math.PI) / 180;
  const c = Math.cos(rest), s = Math.sin(rest);
  return [[c, s], [-s, c], [-c, -s], [s, -c]][((turns % 4) + 4) % 4];
}

/** The pull map of a counter-clockwise turn. */
function turned(degrees) {
  const [c, s] = cosSin(degrees);
  return [[c, s], [-s, c]];
}

/** Outer edges stay outer edges. */
function resized(shape, target) {
  const y = shape[0] / target[0], x = shape[1] / target[1];
  return [[y, 0, 0.5 * (y - 1)], [0, x, 0.5 * (x - 1)], [0, 0, 1]];
}

function inverted(m) {
  const [[a, b, c], [d, e, f], [g, h, i]] = m;
  const A = e * i - f * h, B = f * g - d * i, C = d * h - e * g, det = a * A + b * B + c * C;
  return [
    [A / det, (c * h - b * i) / det, (b * f - c * e) / det],
    [B / det, (a * i - c * g) / det, (c * d - a * f) / det],
    [C / det, (b * g - a * h) / det, (a * e - b * d) / det],
  ];
}

/** Where a map takes a point. */
function mapped(m, [y, x]) {
  const w = m[2][0] * y + m[2][1] * x + m[2][2];
  return [(m[0][0] * y + m[0][1] * x + m[0][2]) / w, (m[1][0] * y + m[1][1] * x + m[1][2]) / w];
}

/** Input pixels that a step to the next output pixel spans along each input axis, at the centre of the frame. */
function spans(m, shape) {
  const p = centreOf(shape), w = m[2][0] * p[0] + m[2][1] * p[1] + m[2][2], q = mapped(m, p);
  return [0, 1].map((i) => Math.hypot(...[0, 1].map((j) => (m[i][j] - q[i] * m[2][j]) / w)));
}

/** The projective map that takes four points each to four others. */
function homography(source, target) {
  const rows = [];
  for (const i of [0, 1]) {
    source.forEach(([y, x], k) => {
      const row = [0, 0, 0, 0, 0, 0, -target[k][i] * y, -target[k][i] * x, target[k][i]];
      row[3 * i] = y;
      row[3 * i + 1] = x;
      row[3 * i + 2] = 1;
      rows.push(row);
    });
  }
  const h = solved(rows);
  return [[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1]];
}

/** Gauss elimination with pivots, of rows that end in the right side. */
function solved(rows) {
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    const best = rows.slice(i).reduce((at, row, k) => (Math.abs(row[i]) > Math.abs(rows[at][i]) ? i + k : at), i);
    [rows[i], rows[best]] = [rows[best], rows[i]];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const share = rows[k][i] / rows[i][i];
      for (let j = i; j <= n; j++) rows[k][j] -= share * rows[i][j];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}
