// Geometric transforms: each says in one function what the class of its name in imagemill.transforms draws, with the
// requests for random numbers in the same order. A frame is {shape: [y, x]}; an op {matrix, shape, sampling, window}.

const AXES = { y: 0, x: 1 };

function sampling(p, antialias = false) {
  const constant = p.border === "constant";
  return { order: p.order, border: p.border, fill: constant ? p.fill : 0, antialias };
}

/** A parameter that may be given for each axis, as [y, x]. */
function perAxis(draws, value, field, axes, rest, together = false) {
  const found = [rest, rest];
  if (!isDistribution(value)) {
    for (const axis of ["y", "x"]) {
      if (axis in value) found[AXES[axis]] = draws.draw(distribution(value[axis]), `${field}.${axis}`);
    }
    if ("z" in value) throw new Error(`expected ${field} to name y and x of a picture, got z`);
  } else if (together) {
    const drawn = draws.draw(distribution(value), field);
    for (const axis of axes) if (axis in AXES) found[AXES[axis]] = drawn;
  } else {
    for (const axis of axes) found[AXES[axis]] = draws.draw(distribution(value), `${field}.${axis}`);
  }
  return found;
}

function inPlane(p, name) {
  if ((p.plane ?? "yx") !== "yx" && p.plane !== "all") throw new Error(`${name}: a picture has the plane yx alone, got ${p.plane}`);
}

function sided(size, name) {
  const sides = Array.isArray(size) ? size : [size];
  if (sides.length > 2 || !sides.every((one) => Number.isInteger(one) && one >= 1)) {
    throw new Error(`expected ${name} as one length or (y, x), got ${size}`);
  }
  return [sides[0], sides[sides.length - 1]];
}

function oneGiven(name, p, fields) {
  const given = fields.filter((field) => p[field] !== null && p[field] !== undefined);
  if (given.length !== 1) throw new Error(`expected exactly one of ${fields.join(", ")} for ${name}, got ${given.join(" and ") || "none of them"}`);
}

/** Where to begin in free space. */
function offsets(free, at, draws) {
  if (at === "random") {
    return ["y", "x"].map((axis, i) => {
      const start = Math.floor(draws.uniform() * (free[i] + 1));
      draws.note(`start.${axis}`, start);
      return start;
    });
  }
  if (at === "centre") return free.map((one) => Math.floor(one / 2));
  return [at.startsWith("top") ? 0 : free[0], at.endsWith("left") ? 0 : free[1]];
}

function shearPull(draws, value, field) {
  const [y, x] = perAxis(draws, value, field, "x", 0, true).map((degrees) => Math.tan((degrees * Math.PI) / 180));
  return times([[1, 0], [-x, 1]], [[1, -y], [0, 1]]);
}

/** How far a turned frame reaches along each axis. */
function extent(linear, [y, x]) {
  return [0, 1].map((j) => Math.abs(linear[0][j]) * y + Math.abs(linear[1][j]) * x);
}

const ROUNDING = 1e-6;

/** The largest frame whose pixel centres all lie among those of a turned one. */
function innerShape(linear, shape) {
  const [height, width] = shape.map((one) => one - 1);
  const cos = Math.abs(linear[0][0]), sin = Math.abs(linear[0][1]);
  const short = Math.min(height, width), long = Math.max(height, width);
  const narrow = short <= 2 * sin * cos * long + ROUNDING;
  const along = short / (2 * sin), across = short / (2 * cos), part = cos ** 2 - sin ** 2;
  const wide = narrow ? (width >= height ? along : across) : (width * cos - height * sin) / part;
  const high = narrow ? (width >= height ? across : along) : (height * cos - width * sin) / part;
  return [high, wide].map((length) => Math.max(Math.floor(length + ROUNDING), 0) + 1);
}

function symmetry(frame, exchanged, down, right) {
  const [y, x] = frame.shape, shape = exchanged ? [x, y] : [y, x];
  const signs = [down ? -1 : 1, right ? -1 : 1];
  const linear = [[0, 0], [0, 0]];
  for (const axis of [0, 1]) linear[exchanged ? 1 - axis : axis][axis] = signs[axis];
  return { matrix: aboutCentres(linear, frame.shape, shape), shape, sampling: {} };
}

/** The centre of the output shows the centre of the input. */
function aboutCentres(linear, shape, target) {
  const c = centreOf(shape), t = centreOf(target);
  return [0, 1].map((i) => [...linear[i], c[i] - linear[i][0] * t[0] - linear[i][1] * t[1]]).concat([[0, 0, 1]]);
}

function ofSide(factor, frame, p) {
  const shape = frame.shape.map((one) => Math.max(Math.floor(one * factor + 0.5), 1));
  return { matrix: resized(frame.shape, shape), shape, sampling: { order: p.order, antialias: p.antialias && p.order > 0 } };
}

function wholeLength(draws, value) {
  const length = Math.floor(draws.draw(distribution(value), "length") + 0.5);
  draws.note("length", length);
  return length;
}

const GEOMETRY = {
  Flip(draws, frame, p) {
    if (p.axis === "z") throw new Error("Flip: a picture has the axes y and x, got z");
    const [y, x] = frame.shape;
    const matrix = p.axis === "y" ? [[-1, 0, y - 1], [0, 1, 0], [0, 0, 1]] : [[1, 0, 0], [0, -1, x - 1], [0, 0, 1]];
    return { matrix, shape: frame.shape, sampling: {} };
  },

  Rotate(draws, frame, p) {
    inPlane(p, "Rotate");
    let linear = turned(draws.draw(distribution(p.degrees), p.plane === "all" ? "degrees.yx" : "degrees"));
    const fits = p.frame === "fit", centre = centreOf(frame.shape), mode = sampling(p, fits && p.order > 0);
    if (fits) {
      const grown = extent(linear, frame.shape), factor = Math.max(grown[0] / frame.shape[0], grown[1] / frame.shape[1]);
      linear = linear.map((row) => row.map((v) => v * factor));
    }
    const matrix = about(linear, centre);
    if (p.frame === "keep" || fits) return { matrix, shape: frame.shape, sampling: mode };
    const shape = p.frame === "grow" ? extent(linear, frame.shape).map((v) => Math.ceil(v - ROUNDING)) : innerShape(linear, frame.shape);
    const to = centreOf(shape);
    return { matrix: times(matrix, translation(centre[0] - to[0], centre[1] - to[1])), shape, sampling: mode };
  },

  Shift(draws, frame, p) {
    oneGiven("Shift", p, ["pixels", "fraction", "millimetres"]);
    const field = ["pixels", "fraction", "millimetres"].find((name) => p[name] !== null && p[name] !== undefined);
    let amount = perAxis(draws, p[field], field, "yx", 0);
    if (field === "fraction") amount = amount.map((v, i) => v * frame.shape[i]);
    let mode = sampling(p);
    if (p.whole) {
      amount = amount.map((v) => Math.floor(v + 0.5));
      for (const name of Object.keys(draws.values)) {
        const axis = name.split(".").pop();
        delete draws.values[name];
        draws.note(`pixels.${axis}`, amount[AXES[axis]]);
      }
      mode = { border: mode.border, fill: mode.fill };
    }
    return { matrix: translation(-amount[0], -amount[1]), shape: frame.shape, sampling: mode };
  },

  Zoom(draws, frame, p) {
    const [y, x] = perAxis(draws, p.factor, "factor", p.axes ?? "yx", 1, true);
    const matrix = about([[1 / y, 0], [0, 1 / x]], centreOf(frame.shape));
    return { matrix, shape: frame.shape, sampling: sampling(p, p.antialias && p.order > 0) };
  },

  Shear(draws, frame, p) {
    inPlane(p, "Shear");
    return { matrix: about(shearPull(draws, p.degrees, "degrees"), centreOf(frame.shape)), shape: frame.shape, sampling: sampling(p) };
  },

  Affine(draws, frame, p) {
    inPlane(p, "Affine");
    if (p.matrix) return { matrix: p.matrix, shape: frame.shape, sampling: sampling(p) };
    const turn = turned(draws.draw(distribution(p.degrees), "degrees"));
    const [zy, zx] = perAxis(draws, p.zoom, "zoom", "yx", 1, true);
    const shift = perAxis(draws, p.shift, "shift", "yx", 0).map((v, i) => v * frame.shape[i]);
    const shear = shearPull(draws, p.shear, "shear");
    const linear = chained(shear, turn, [[1 / zy, 0], [0, 1 / zx]]);
    const matrix = times(about(linear, centreOf(frame.shape)), translation(-shift[0], -shift[1]));
    return { matrix, shape: frame.shape, sampling: sampling(p) };
  },

  Perspective(draws, frame, p) {
    const strength = draws.draw(distribution(p.strength), "strength"), lots = draws.uniforms(8);
    const ends = [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]];
    const corners = ends.map((end, i) => end.map((v, j) => v - Math.sign(v) * lots[2 * i + j] * strength));
    const [y, x] = frame.shape, c = centreOf(frame.shape);
    const unit = homography(corners, ends);
    const matrix = chained(translation(...c), scaling(y, x), unit, scaling(1 / y, 1 / x), translation(-c[0], -c[1]));
    return { matrix: strength > 0 ? matrix : IDENTITY, shape: frame.shape, sampling: sampling(p) };
  },

  QuarterTurn(draws, frame, p) {
    inPlane(p, "QuarterTurn");
    const turns = inEpoch(distribution(p.times), draws.epoch), listed = turns.kind === "choice" ? turns.values : turns.low === turns.high ? [turns.low] : [];
    if (!listed.length || !listed.every(Number.isInteger)) throw new Error("expected QuarterTurn(times=...) as a whole number or one of several");
    const number = draws.draw(turns, "times");
    const shape = number % 2 !== 0 ? [frame.shape[1], frame.shape[0]] : frame.shape;
    return { matrix: aboutCentres(turned(90 * number), frame.shape, shape), shape, sampling: {} };
  },

  Transpose: (draws, frame) => symmetry(frame, true, false, false),

  D4(draws, frame) {
    const which = Math.floor(draws.uniform() * 8);
    draws.note("symmetry", which);
    return symmetry(frame, which & 4, which & 2, which & 1);
  },

  Crop(draws, frame, p) {
    oneGiven("Crop", p, ["size", "box"]);
    if (p.box) {
      const [y0, x0, y1, x1] = p.box;
      if (y1 > frame.shape[0] || x1 > frame.shape[1]) throw new Error(`expected images that hold Crop(box=${p.box}), got ${frame.shape}`);
      return { matrix: translation(y0, x0), shape: [y1 - y0, x1 - x0], sampling: {} };
    }
    const shape = sided(p.size, "Crop(size=...)"), free = frame.shape.map((v, i) => v - shape[i]);
    if (Math.min(...free) < 0) throw new Error(`expected images of at least ${shape.join(" x ")} for Crop, got ${frame.shape.join(" x ")}; put Pad or Resize before it`);
    return { matrix: translation(...offsets(free, p.at, draws)), shape, sampling: {} };
  },

  CropOrPad(draws, frame, p) {
    const shape = sided(p.size, "CropOrPad(size=...)"), room = frame.shape.map((v, i) => v - shape[i]);
    const start = offsets(room.map(Math.abs), p.at, draws).map((v, i) => v * Math.sign(room[i]));
    return padded(translation(...start), shape, frame, p, Math.min(...room) < 0);
  },

  Pad(draws, frame, p) {
    oneGiven("Pad", p, ["pixels", "size", "multiple_of"]);
    let before, shape;
    if (p.pixels) {
      const said = Array.isArray(p.pixels) ? p.pixels : [p.pixels], half = said.length / 2;
      if (said.length === 3 || said.length > 4) throw new Error(`expected Pad(pixels=...) as 1, 2 or 4 whole numbers, got ${said}`);
      const [first, second] = said.length === 4 ? [said.slice(0, half), said.slice(half)] : [said, said];
      before = [first[0], first[first.length - 1]];
      shape = frame.shape.map((v, i) => v + before[i] + [second[0], second[second.length - 1]][i]);
    } else {
      shape = sided(p.size ?? p.multiple_of, "Pad(size=...)");
      if (!p.size) shape = shape.map((v, i) => v * Math.ceil(frame.shape[i] / v));
      shape = shape.map((v, i) => Math.max(v, frame.shape[i]));
      before = offsets(shape.map((v, i) => v - frame.shape[i]), p.at, draws);
    }
    return padded(translation(-before[0], -before[1]), shape, frame, p, shape.some((v, i) => v > frame.shape[i]));
  },

  Resize(draws, frame, p) {
    const target = sided(p.size, "Resize(size=...)"), mode = { order: p.order, antialias: p.antialias && p.order > 0 };
    if (p.fit === "stretch") return { matrix: resized(frame.shape, target), shape: target, sampling: mode };
    const ratio = frame.shape.map((v, i) => v / target[i]);
    if (p.fit === "crop") {
      const factor = Math.min(...ratio);
      return { matrix: aboutCentres([[factor, 0], [0, factor]], frame.shape, target), shape: target, sampling: mode };
    }
    const inner = frame.shape.map((v, i) => Math.min(Math.max(even(v / Math.max(...ratio)), 1), target[i]));
    const before = target.map((v, i) => Math.floor((v - inner[i]) / 2));
    const window = inner.some((v, i) => v < target[i]) ? { shape: inner, fill: p.fill } : null;
    return [
      { matrix: resized(frame.shape, inner), shape: inner, sampling: mode },
      { matrix: translation(-before[0], -before[1]), shape: target, sampling: {}, windowed: true, window },
    ];
  },

  RandomResizedCrop(draws, frame, p) {
    const target = sided(p.size, "RandomResizedCrop(size=...)"), [height, width] = frame.shape, lots = draws.uniforms(22);
    const area = inEpoch(distribution(p.area), draws.epoch);
    const logarithmic = (d) => (d.kind === "uniform" && d.low < d.high ? { ...d, kind: "log_uniform" } : d.kind === "ramp" ? { ...d, steps: d.steps.map(([k, one]) => [k, logarithmic(one)]) } : d);
    const aspect = inEpoch(logarithmic(distribution(p.aspect)), draws.epoch);
    const tries = lots.slice(0, 10).map((u, i) => {
      const pixels = sampled(area, u) * (height * width), wide = sampled(aspect, lots[10 + i]);
      return [even(Math.sqrt(pixels / wide)), even(Math.sqrt(pixels * wide))];
    });
    let part = tries.find(([y, x]) => y >= 1 && x >= 1 && y <= height && x <= width), start;
    if (part) {
      start = part.map((v, i) => Math.floor(lots[20 + i] * (frame.shape[i] - v + 1)));
    } else {
      const [low, high] = bounds(aspect);
      part = [Math.max(Math.min(height, even(width / low)), 1), Math.max(Math.min(width, even(height * high)), 1)];
      start = part.map((v, i) => Math.floor((frame.shape[i] - v) / 2));
    }
    draws.note("area", (part[0] * part[1]) / (height * width));
    draws.note("aspect", part[1] / part[0]);
    const matrix = times(translation(...start), resized(part, target));
    return { matrix, shape: target, sampling: { order: p.order, antialias: p.antialias && p.order > 0 } };
  },

  // Without a label map it is the square in the middle; this page has none.
  SquareCrop(draws, frame, p) {
    draws.draw(distribution(p.margin), "margin");
    const side = Math.min(...frame.shape);
    return { matrix: translation(...frame.shape.map((v) => Math.floor((v - side) / 2))), shape: [side, side], sampling: {} };
  },

  ShortestSide(draws, frame, p) {
    let factor = wholeLength(draws, p.length) / Math.min(...frame.shape);
    if (p.longest) factor = Math.min(factor, p.longest / Math.max(...frame.shape));
    return ofSide(factor, frame, p);
  },

  LongestSide(draws, frame, p) {
    const factor = wholeLength(draws, p.length) / Math.max(...frame.shape);
    return ofSide(p.enlarge ? factor : Math.min(factor, 1), frame, p);
  },
};

/** A padding: a window, outside which the fill stands, or another border. */
function padded(matrix, shape, frame, p, grows) {
  if (p.border !== "constant") return { matrix, shape, sampling: { border: p.border } };
  return { matrix, shape, sampling: {}, windowed: true, window: grows ? { shape: frame.shape, fill: p.fill } : null };
}

/** Rounded, halves to even. */
function even(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}
