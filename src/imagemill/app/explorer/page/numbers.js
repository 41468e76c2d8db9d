// Random numbers and distributions, number for number those of imagemill.core.randomness and imagemill.core.ranges.

const HALF = 4294967296;

/** The high and the low word of a product of two words. */
function product(a, b) {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const low = a0 * b0, middle = a1 * b0 + Math.floor(low / 65536), rest = a0 * b1 + (middle % 65536);
  const high = a1 * b1 + Math.floor(middle / 65536) + Math.floor(rest / 65536);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** Philox4x32-10: four words for a counter of four words and a key of two. */
function philox(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = product(0xd2511f53, c0), [h1, l1] = product(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What one transform draws from: requests are numbered in the order in which they are made. */
class Draws {
  /** A key is two words, the low one first. */
  constructor(seed, epoch, key, place) {
    this.seed = [seed % HALF, Math.floor(seed / HALF)];
    this.key = key;
    this.epoch = epoch;
    this.place = place;
    this.request = 0;
    this.values = {};
    this.blocks = new Map();
  }

  /** A number strictly inside (0, 1). */
  uniform() {
    return this.at(this.request++, this.epoch);
  }

  /** The same, but what epoch 0 gives, in every epoch. */
  lasting() {
    return this.at(this.request++, 0);
  }

  at(request, epoch) {
    const block = request >> 2, kept = `${epoch} ${block}`;
    if (!this.blocks.has(kept)) {
      const stream = (this.place * 4096 + block) >>> 0;
      this.blocks.set(kept, philox([this.key[0], this.key[1], epoch, stream], this.seed));
    }
    return (this.blocks.get(kept)[request & 3] + 0.5) / HALF;
  }

  uniforms(count) {
    return Array.from({ length: count }, () => this.uniform());
  }

  /** A value of a distribution, shown under a name. */
  draw(distribution, name) {
    const value = sampled(inEpoch(distribution, this.epoch), this.uniform());
    this.values[name] = value;
    return value;
  }

  note(name, value) {
    this.values[name] = Number(value);
  }
}

const KINDS = ["choice", "normal", "log_uniform", "uniform", "ramp"];

/** Read what a pipeline file says of a parameter: a number, a pair, or a mapping with the kind's name. */
function distribution(plain) {
  if (typeof plain === "number") return { kind: "fixed", low: plain, high: plain };
  if (Array.isArray(plain)) {
    if (plain[0] > plain[1]) throw new Error(`expected the lower bound first, got (${plain[0]}, ${plain[1]}); swap the two numbers`);
    return { kind: "uniform", low: plain[0], high: plain[1] };
  }
  const kind = Object.keys(plain)[0], said = plain[kind];
  const named = (names) => Array.isArray(said) ? Object.fromEntries(names.map((n, i) => [n, said[i]])) : said;
  switch (kind) {
    case "uniform": return { kind, ...named(["low", "high"]) };
    case "log_uniform": return { kind, ...named(["low", "high"]) };
    case "normal": return { kind, limit: 3, ...Object.fromEntries(Object.entries(named(["mean", "std", "limit"])).filter(([, v]) => v !== undefined)) };
    case "ramp": return { kind, steps: Object.entries(said).map(([epoch, one]) => [Number(epoch), distribution(one)]).sort(([a], [b]) => a - b) };
    case "choice": return Array.isArray(said) ? { kind, values: said } : { kind, ...said };
    default: throw new Error(`expected one of ${KINDS.join(", ")}, got ${kind}`);
  }
}

function isDistribution(plain) {
  return typeof plain === "number" || Array.isArray(plain) || KINDS.includes(Object.keys(plain ?? {})[0]);
}

/** What a parameter is in an epoch: of a ramp what stands there, or what lies between, quantile by quantile. */
function inEpoch(d, epoch) {
  if (d.kind !== "ramp") return d;
  const later = d.steps.find(([k]) => k >= epoch) ?? d.steps[d.steps.length - 1];
  const earlier = d.steps.findLast(([k]) => k <= epoch) ?? d.steps[0];
  if (!(earlier[0] < epoch && epoch < later[0])) return epoch >= later[0] ? later[1] : earlier[1];
  return { kind: "between", a: earlier[1], b: later[1], share: (epoch - earlier[0]) / (later[0] - earlier[0]) };
}

/** The smallest and the largest value that can come out. */
function bounds(d) {
  if (d.kind === "between") return bounds(d.a).map((v, i) => v + (bounds(d.b)[i] - v) * d.share);
  if (d.kind === "ramp") {
    const all = d.steps.map(([, one]) => bounds(one));
    return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  }
  if (d.kind === "choice") return [Math.min(...d.values), Math.max(...d.values)];
  if (d.kind === "normal") return [d.mean - d.std * d.limit, d.mean + d.std * d.limit];
  return [d.low, d.high];
}

/** The value at a number inside (0, 1). */
function sampled(d, u) {
  switch (d.kind) {
    case "choice": {
      const weights = d.weights ?? d.values.map(() => 1), total = weights.reduce((a, b) => a + b, 0);
      let edge = 0;
      for (let i = 0; i < d.values.length - 1; i++) {
        edge += weights[i] / total;
        if (u < edge) return d.values[i];
      }
      return d.values[d.values.length - 1];
    }
    case "between": return sampled(d.a, u) + (sampled(d.b, u) - sampled(d.a, u)) * d.share;
    case "normal": {
      const tail = 0.5 * erfc(d.limit / Math.SQRT2);
      return d.mean + d.std * normalQuantile(tail + (1 - 2 * tail) * u);
    }
    case "log_uniform": {
      const low = Math.log(d.low), high = Math.log(d.high);
      return Math.exp(low + (high - low) * u);
    }
    default: return d.low + (d.high - d.low) * u;
  }
}

/** A whole number of a range, all equally likely. */
function drawWhole(draws, d, name) {
  let value = draws.draw(d, name);
  if (d.kind === "uniform" && d.low < d.high) {
    value = d.low + Math.floor(((value - d.low) / (d.high - d.low)) * (d.high - d.low + 1));
    draws.note(name, value);
  }
  return value;
}

/** 1 - erf(x) for x of at least 0: a series near 0, a continued fraction beyond. */
function erfc(x) {
  if (x < 2.5) {
    let term = x, sum = x;
    for (let n = 1; n < 80; n++) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/** Wichura (1988), AS 241: coefficients come from imagemill.core.ranges. */
function normalQuantile(p) {
  const ratio = ([top, bottom], r) => {
    const at = (row) => row.reduceRight((sum, c) => sum * r + c, 0);
    return at(top) / at(bottom);
  };
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(TABLES.centre, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const value = r <= 5 ? ratio(TABLES.middle, r - 1.6) : ratio(TABLES.tail, r - 5);
  return q < 0 ? -value : value;
}
