// Boxes and points through the map of the pixels, as imagemill.engine.annotations moves them. Boxes are [y0, x0, y1, x1]
// by their outer edges, points [y, x] the same way: a pixel reaches from its index to the next one.

/** What of a polygon lies inside a frame: cut along each of its four edges. */
function clipped(polygon, shape) {
  return [0, 1].reduce((whole, axis) => [[-0.5, 1], [shape[axis] - 0.5, -1]].reduce((ring, [edge, sign]) => {
    const depth = (point) => sign * (point[axis] - edge);
    return ring.flatMap((point, i) => {
      const before = ring[(i + ring.length - 1) % ring.length], a = depth(before), b = depth(point), out = [];
      if (a < 0 !== b < 0) out.push(before.map((v, k) => v + ((point[k] - v) * a) / (a - b)));
      if (b >= 0) out.push(point);
      return out;
    });
  }, whole), polygon);
}

function areaOf(ring) {
  return Math.abs(ring.reduce((sum, [y, x], i) => sum + y * ring[(i + 1) % ring.length][1] - x * ring[(i + 1) % ring.length][0], 0)) / 2;
}

function aroundOf(ring) {
  const [ys, xs] = [0, 1].map((i) => ring.map((point) => point[i]));
  return [Math.min(...ys), Math.min(...xs), Math.max(...ys), Math.max(...xs)];
}

function cornersOf([y0, x0, y1, x1]) {
  return [[y0, x0], [y0, x1], [y1, x1], [y1, x0]];
}

/** Maps and windows from the photo to the last frame, in that order. */
function* stagesOf(passes) {
  for (const pass of passes) {
    for (const link of [...pass.links].reverse()) yield link;
  }
}

const shifted = (point, by) => point.map((v) => v + by);

/** Where the corners of a box come to lie, and the upright box around what of it is seen; null where that is less than a pixel. */
function movedBox(box, passes) {
  const shape = passes[passes.length - 1].shape;
  let ring = cornersOf(box).map((corner) => shifted(corner, -0.5));
  for (const { matrix, window } of stagesOf(passes)) {
    if (matrix) {
      const forward = inverted(matrix);
      ring = ring.map((point) => mapped(forward, point));
      continue;
    }
    // What juts out of a padded frame goes on as the upright box around what is left.
    const left = clipped(ring, window.shape);
    if (!left.length) return { corners: [], box: null };
    if (areaOf(left) < areaOf(ring) - 1e-9) ring = cornersOf(aroundOf(left));
  }
  const left = clipped(ring, shape), seen = areaOf(left) > 0 ? aroundOf(left) : null;
  const large = seen && (seen[2] - seen[0]) * (seen[3] - seen[1]) >= 1;
  return { corners: ring.map((point) => shifted(point, 0.5)), box: large ? shifted(seen, 0.5) : null };
}

/** Where a point comes to lie; null outside of the frame, or of a frame that was padded. */
function movedPoint(point, passes) {
  const shape = passes[passes.length - 1].shape, outside = (p, n) => p.some((v, i) => v < -0.5 || v > n[i] - 0.5);
  let at = shifted(point, -0.5);
  for (const { matrix, window } of stagesOf(passes)) {
    if (matrix) at = mapped(inverted(matrix), at);
    else if (outside(at, window.shape)) return null;
  }
  return outside(at, shape) ? null : shifted(at, 0.5);
}

/** All annotations of the photo in the last frame of some passes. */
function movedAnnotations(annotations, passes) {
  return annotations.map((one) => (one.box ? { ...one, ...movedBox(one.box, passes) } : { ...one, point: movedPoint(one.point, passes) }));
}
