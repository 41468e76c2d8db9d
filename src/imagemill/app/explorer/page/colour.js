// Colour transforms, as those of the same names in imagemill.transforms. Each gives a stage: {matrix, offset, pivot}, of
// which pivot is applied to the channel means, or {curve, low, high}. Values are those of 8 bits: white is 255.

const WHITE = 255;

function diagonal(gains, offset = [0, 0, 0]) {
  return { matrix: gains.map((v, i) => [0, 1, 2].map((j) => (i === j ? v : 0))), offset };
}

function linearStage(matrix) {
  return { matrix, offset: [0, 0, 0] };
}

function alike(value) {
  return [value, value, value];
}

function blendOf(a, share, b, other) {
  return a.map((row, i) => row.map((v, j) => share * v + other * b[i][j]));
}

function luma() {
  return [TABLES.luma, TABLES.luma, TABLES.luma];
}

function saturations(factor) {
  return blendOf(IDENTITY, factor, luma(), 1 - factor);
}

function hues(degrees) {
  const [c, s] = cosSin(degrees), change = [[0, 0, 0], [0, c - 1, s], [0, -s, c - 1]];
  return blendOf(IDENTITY, 1, chained(inverted(TABLES.yiq), change, TABLES.yiq), 1);
}

function contrastShares(factor) {
  return luma().map((row) => row.map((v) => (1 - factor) * v));
}

function scaled(matrix, factor) {
  return matrix.map((row) => row.map((v) => v * factor));
}

/** Gains of red, green and blue under a black body. */
function temperatureGains(kelvin) {
  const light = (k) => {
    const t = 1000 / k, poly = (row, v) => row.reduce((sum, c) => sum * v + c, 0);
    const x = poly(TABLES.locus.x[k > 4000 ? 0 : 1], t);
    const y = poly(TABLES.locus.y[k > 4000 ? 0 : k > 2222 ? 1 : 2], x);
    const xyz = [x / y, 1, (1 - x - y) / y];
    return TABLES.toRgb.map((row) => row.reduce((sum, v, i) => sum + v * xyz[i], 0));
  };
  const day = light(TABLES.daylight);
  const found = light(kelvin).map((v, i) => Math.max(v / day[i], 0) ** (1 / 2.2));
  const sum = found.reduce((total, v, i) => total + v * TABLES.luma[i], 0);
  return found.map((v) => v / sum);
}

function three(draws, value, name) {
  return [0, 1, 2].map((channel) => draws.draw(distribution(value), `${name}.${channel}`));
}

/** Places of the numbers in rising order. */
function sortedPlaces(numbers) {
  return numbers.map((v, i) => i).sort((a, b) => numbers[a] - numbers[b]);
}

const COLOUR = {
  Brightness: (draws, p) => diagonal(alike(draws.draw(distribution(p.factor), "factor"))),

  Contrast(draws, p) {
    const factor = draws.draw(distribution(p.factor), "factor");
    if (p.pivot === "mean") return { ...diagonal(alike(factor)), pivot: contrastShares(factor) };
    if (p.pivot === "each") return { ...diagonal(alike(factor)), pivot: scaled(IDENTITY, 1 - factor) };
    return diagonal(alike(factor), alike((1 - factor) * (p.pivot === "middle" ? WHITE / 2 : p.pivot)));
  },

  Saturation: (draws, p) => linearStage(saturations(draws.draw(distribution(p.factor), "factor"))),

  Hue: (draws, p) => linearStage(hues(draws.draw(distribution(p.degrees), "degrees"))),

  ColorJitter(draws, p) {
    const names = ["brightness", "contrast", "saturation", "hue"];
    if (names.every((name) => p[name] === null || p[name] === undefined)) {
      throw new Error("expected ColorJitter to get brightness, contrast, saturation or hue, got none of them");
    }
    const [brightness, contrast, saturation, hue] = names.map((name) =>
      p[name] === null || p[name] === undefined ? null : draws.draw(distribution(p[name]), name));
    let matrix = saturation === null ? IDENTITY : saturations(saturation), pivot = null;
    if (hue !== null) matrix = times(hues(hue), matrix);
    if (contrast !== null) {
      matrix = scaled(matrix, contrast);
      pivot = contrastShares(contrast);
    }
    if (brightness !== null) {
      matrix = scaled(matrix, brightness);
      pivot = pivot && scaled(pivot, brightness);
    }
    return { ...linearStage(matrix), pivot };
  },

  GainOffset(draws, p) {
    const alpha = draws.draw(distribution(p.alpha), "alpha"), beta = draws.draw(distribution(p.beta), "beta");
    return diagonal(alike(alpha), alike(beta));
  },

  Gamma(draws, p) {
    if (p.within !== "white") throw new Error("Gamma(within='range') reads the whole image and is not drawn here");
    return { curve: "gamma", low: draws.draw(distribution(p.gamma), "gamma"), high: 0 };
  },

  ToneCurve(draws, p) {
    const low = 1 / 3 + draws.draw(distribution(p.shadows), "shadows");
    return { curve: "bezier", low, high: 2 / 3 + draws.draw(distribution(p.lights), "lights") };
  },

  Invert: () => diagonal(alike(-1), alike(WHITE)),

  Gray(draws, p) {
    const row = typeof p.weights === "string" ? TABLES.grays[p.weights] : p.weights;
    return linearStage([row, row, row]);
  },

  Sepia(draws, p) {
    const strength = draws.draw(distribution(p.strength), "strength");
    return linearStage(blendOf(IDENTITY, 1 - strength, TABLES.sepia, strength));
  },

  ChannelGain(draws, p) {
    if (!p.each) return diagonal(three(draws, p.gains, "gains"));
    if (p.each.length !== 3) throw new Error(`expected ChannelGain(each=...) to hold 3 numbers, got ${p.each.length}`);
    return diagonal(p.each);
  },

  ChannelShift: (draws, p) => diagonal([1, 1, 1], three(draws, p.shift, "shift").map((v) => v * WHITE)),

  ChannelDropout(draws, p) {
    const dropped = Math.min(drawWhole(draws, distribution(p.channels), "channels"), 2);
    const rank = [];
    sortedPlaces(draws.uniforms(3)).forEach((place, i) => { rank[place] = i; });
    const stays = rank.map((one) => one >= dropped);
    stays.forEach((one, channel) => draws.note(`kept.${channel}`, one));
    return diagonal(stays.map(Number), stays.map((one) => (one ? 0 : p.fill)));
  },

  ChannelShuffle(draws) {
    const order = sortedPlaces(draws.uniforms(3));
    order.forEach((from, channel) => draws.note(`from.${channel}`, from));
    return linearStage(order.map((from) => IDENTITY[from]));
  },

  Lighting(draws, p) {
    const [values, vectors] = p.basis === "imagenet" ? [TABLES.eigenvalues, TABLES.eigenvectors] : p.basis;
    const offset = [0, 0, 0];
    values.forEach((value, i) => {
      const strength = draws.draw(distribution(p.strength), `strength.${i}`);
      vectors.forEach((row, channel) => { offset[channel] += strength * WHITE * value * row[i]; });
    });
    return diagonal([1, 1, 1], offset);
  },

  ColorTemperature: (draws, p) => diagonal(temperatureGains(draws.draw(distribution(p.kelvin), "kelvin"))),
};

/** Stages one behind the other: neighbouring matrices become one. */
function fusedStages(stages) {
  const out = [];
  for (const later of stages) {
    const first = out[out.length - 1];
    if (!first || first.curve || later.curve) {
      out.push(later);
      continue;
    }
    // With m the means of what arrives: A = A2 A1, b = (A2 + K2) b1 + b2, K = A2 K1 + K2 (A1 + K1).
    const k1 = first.pivot, k2 = later.pivot, carried = k2 ? blendOf(later.matrix, 1, k2, 1) : later.matrix;
    const column = (v) => v.map((one) => [one]);
    const offset = times(carried, column(first.offset)).map(([v], i) => v + later.offset[i]);
    let pivot = k1 ? times(later.matrix, k1) : null;
    if (k2) {
      const means = times(k2, k1 ? blendOf(first.matrix, 1, k1, 1) : first.matrix);
      pivot = pivot ? blendOf(pivot, 1, means, 1) : means;
    }
    out[out.length - 1] = { matrix: times(later.matrix, first.matrix), offset, pivot };
  }
  return out;
}

/** What a curve makes of one value. */
function curved(stage, x) {
  if (stage.curve === "gamma") return WHITE * (Math.max(x, 0) / WHITE) ** stage.low;
  const t = Math.min(Math.max(x / WHITE, 0), 1), s = 1 - t;
  return x + WHITE * (t * (3 * s * (s * stage.low + t * stage.high) + t * t) - t);
}

/** What stages make of one pixel, in place; their pivots are resolved. */
function coloured(stages, pixel) {
  for (const stage of stages) {
    if (stage.curve) {
      for (let c = 0; c < 3; c++) pixel[c] = curved(stage, pixel[c]);
      continue;
    }
    const [r, g, b] = pixel, m = stage.matrix, o = stage.offset;
    for (let c = 0; c < 3; c++) pixel[c] = m[c][0] * r + m[c][1] * g + m[c][2] * b + o[c];
  }
}

/** The stages with means in the place of pivots. `pixels` is a list of what arrives; it is used up. */
function resolved(stages, pixels) {
  const done = [], last = stages.findLastIndex((stage) => stage.pivot);
  stages.forEach((stage, place) => {
    let known = stage;
    if (stage.pivot) {
      const means = [0, 0, 0];
      for (let i = 0; i < pixels.length; i++) means[i % 3] += pixels[i];
      const m = means.map((sum) => [sum / Math.max(pixels.length / 3, 1)]);
      known = { matrix: stage.matrix, offset: times(stage.pivot, m).map(([v], i) => v + stage.offset[i]) };
    }
    done.push(known);
    if (place >= last) return;
    const pixel = [0, 0, 0], one = [known];
    for (let i = 0; i < pixels.length; i += 3) {
      for (let c = 0; c < 3; c++) pixel[c] = pixels[i + c];
      coloured(one, pixel);
      for (let c = 0; c < 3; c++) pixels[i + c] = pixel[c];
    }
  });
  return done;
}
