// The walk through a list of transforms, depth first as imagemill.pipeline.drawing does it, and from what it finds to
// few passes over the pixels, as imagemill.engine.planner makes them.
// A node is {name, params, children}; one that is not drawn here has `places`, the number of places that it takes.

const GROUPS = {
  Sequential: (draws, p, count) => Array(count).fill(true),

  OneOf(draws, p, count) {
    const chosen = sampled({ kind: "choice", values: [...Array(count).keys()], weights: p.weights ?? undefined }, draws.uniform());
    draws.note("chosen", chosen);
    return [...Array(count).keys()].map((i) => i === chosen);
  },

  SomeOf(draws, p, count) {
    const said = p.count === null || p.count === undefined ? { kind: "uniform", low: 1, high: count } : inEpoch(distribution(p.count), draws.epoch);
    const u = draws.uniform(), [low, high] = bounds(said);
    const many = said.kind === "choice" ? sampled(said, u) : low + Math.floor(u * (high - low + 1));
    draws.note("count", many);
    const order = sortedPlaces(draws.uniforms(count)), chosen = Array(count).fill(false);
    order.slice(0, many).forEach((place) => { chosen[place] = true; });
    return chosen;
  },
};

function isLive(node) {
  return node.name in GEOMETRY || node.name in COLOUR || node.name in GROUPS;
}

function parametersOf(node) {
  return { ...DECLARED[node.name].defaults, ...node.params };
}

/** Refuse what the declaration does not allow, in its words. */
function checked(node, p) {
  for (const [name, field] of Object.entries(DECLARED[node.name].fields)) {
    if (field.kind !== "param" || p[name] === null || p[name] === undefined) continue;
    const shown = `${node.name}(${name}=...)`, unit = field.unit ? ` ${field.unit}` : "";
    for (const one of isDistribution(p[name]) ? [p[name]] : Object.values(p[name])) {
      const said = distribution(one), [low, high] = bounds(said);
      if (field.above !== null && low <= field.above) throw new Error(`expected ${shown} above ${field.above}${unit}, got ${shownValue(one)}`);
      if ((field.low !== null && low < field.low) || (field.high !== null && high > field.high)) {
        throw new Error(`expected ${shown} within ${shownNumber(field.low)} to ${shownNumber(field.high)}${unit}, got ${shownValue(one)}`);
      }
      if (field.whole && !(said.values ?? [low, high]).every(Number.isInteger)) throw new Error(`expected ${shown} as whole numbers, got ${shownValue(one)}`);
    }
  }
  return p;
}

/** How many places a node takes: its own, and those of all that is inside it. */
function placesOf(node) {
  if (!isLive(node)) return node.places ?? 1;
  return 1 + (node.children ?? []).reduce((sum, child) => sum + placesOf(child), 0);
}

/** All that one copy gets: steps, the frames between them, and the values to show. */
function drawn(nodes, shape, seed, epoch, key) {
  const found = { steps: [], shape, log: [], problem: null };
  let place = 0, current = null;

  function draw(node, where) {
    const own = place;
    current = node;
    if (!isLive(node)) {
      place += placesOf(node);
      if (!TABLES.noBarrier.includes(node.name)) found.steps.push({ barrier: node.name });
      return;
    }
    place += 1;
    const p = checked(node, parametersOf(node)), draws = new Draws(seed, epoch, key, own);
    const runs = where && coin(node, p, draws);
    if (node.name in GROUPS) {
      if (!node.children.length) throw new Error(`expected ${node.name} to hold at least one transform`);
      const chosen = GROUPS[node.name](draws, p, node.children.length);
      node.children.forEach((child, i) => draw(child, runs && chosen[i]));
      return;
    }
    if (node.name in COLOUR) {
      const stage = COLOUR[node.name](draws, p);
      if (runs) found.steps.push({ stages: [stage] });
    } else {
      geometric(GEOMETRY[node.name](draws, { shape: found.shape }, p), runs);
    }
    if (runs) found.log.push({ name: node.name, values: draws.values, node });
  }

  function geometric(made, runs) {
    for (const op of Array.isArray(made) ? made : [made]) {
      // What was not chosen stays as it is, but still has a say in how pixels are read: a plan follows from what
      // was declared, never from what was drawn.
      const shape = runs ? op.shape : found.shape, matrix = runs ? op.matrix : IDENTITY;
      const links = [{ matrix }];
      if (runs && op.window) links.push({ window: op.window });
      found.steps.push({ links, inShape: found.shape, shape, windowed: Boolean(op.windowed), sampling: op.sampling });
      found.shape = shape;
    }
  }

  try {
    nodes.forEach((node) => draw(node, true));
  } catch (error) {
    if (!(error instanceof Error) || current === null) throw error;
    found.problem = { node: current, text: error.message };
  }
  return found;
}

function coin(node, p, draws) {
  if (node.name === "Flip" && p.mode === "alternate") return draws.lasting() < 0.5 !== (Math.floor(draws.epoch / p.every) % 2 === 1);
  return p.p < 1 ? draws.uniform() < p.p : true;
}

/** Move colour out of the way of geometry: behind it, or in front where a fill must not be coloured. */
function ordered(run) {
  const fills = (step) => step.links && (step.sampling.border === "constant" || step.windowed);
  const before = [], middle = [], behind = [];
  run.forEach((step, i) => {
    if (step.links) middle.push(step);
    else if (!run.slice(i).some(fills)) behind.push(step);
    else if (!run.slice(0, i).some(fills)) before.push(step);
    else middle.push(step);
  });
  return [...before, ...middle, ...behind];
}

/** The sampling that serves both, or null where they contradict each other. */
function merged(a, b) {
  const said = (v) => v !== null && v !== undefined;
  if (said(a.order) && said(b.order) && a.order !== b.order) return null;
  if (said(a.border) && said(b.border)) {
    if (a.border !== b.border) return null;
    if (a.border === "constant" && String(a.fill) !== String(b.fill)) return null;
  }
  const bordered = said(a.border) ? a : b;
  return {
    order: said(a.order) ? a.order : b.order,
    border: bordered.border,
    fill: bordered.fill,
    antialias: Boolean(a.antialias || b.antialias),
  };
}

/** Steps with neighbouring geometry as one resample, and neighbouring colour as one run. */
function fusedSteps(steps) {
  const out = [];
  for (const step of steps) {
    const before = out[out.length - 1];
    if (before && before.links && step.links) {
      const sampling = merged(before.sampling, step.sampling);
      if (sampling) {
        // The chain is read from the output, so the later map stands first.
        out[out.length - 1] = { links: [...step.links, ...before.links], inShape: before.inShape, shape: step.shape, sampling };
        continue;
      }
    }
    if (before && before.stages && step.stages) {
      out[out.length - 1] = { stages: fusedStages([...before.stages, ...step.stages]) };
      continue;
    }
    out.push(step.stages ? { stages: fusedStages(step.stages) } : step);
  }
  return out;
}

/**
 * Passes over the pixels: {front, matrix, windows, sampling, inShape, shape, back}. `front` colours each pixel that is
 * read and rounds it, `back` colours what was read between them.
 */
function passesOf(found, inShape) {
  const runs = [[]];
  for (const step of found.steps) {
    if (step.barrier) runs.push([]);
    else runs[runs.length - 1].push(step);
  }
  const passes = [];
  let shape = inShape;
  const open = (front) => {
    passes.push({ front, links: [], matrix: IDENTITY, windows: [], sampling: {}, inShape: shape, shape, back: [] });
    return passes[passes.length - 1];
  };
  for (const run of runs) {
    let last = null;
    for (const step of fusedSteps(ordered(run))) {
      if (step.stages) {
        if (last && !last.back.length && last.moved) last.back = step.stages;
        else last = open(step.stages);
        continue;
      }
      if (!last || last.moved) last = open([]);
      Object.assign(last, { moved: true, shape: step.shape, sampling: step.sampling, ...placed(step.links) });
      shape = step.shape;
    }
  }
  // Colour alone is the same in front as behind; behind it is worked out once for each pixel.
  for (const pass of passes) if (!pass.moved) [pass.front, pass.back] = [[], pass.front];
  if (!passes.length) open([]);
  return passes;
}

/** One matrix from the output to the input, and the windows on the way, each with the matrix that leads to it. */
function placed(links) {
  let matrix = IDENTITY;
  const windows = [];
  for (const link of links) {
    if (link.matrix) matrix = times(link.matrix, matrix);
    else windows.push({ matrix, ...link.window });
  }
  return { links, matrix, windows };
}

function filled(fill) {
  return Array.isArray(fill) ? (fill.length === 1 ? alike(fill[0]) : fill.slice(0, 3)) : alike(fill ?? 0);
}
