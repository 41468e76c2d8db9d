// The page: what is open, what is drawn, and when.

const state = { nodes: OPENED.nodes, seed: OPENED.seed, first: 0, copies: 8, photo: null, marks: OPENED.marks, mode: null };
const open = new Set();
const at = (id) => document.getElementById(id);
const canvas = at("canvas");
const painter = painterOf(canvas, location.hash === "#canvas");
let tiles = [], waiting = false, laidOut = false;

/** Draw again before the next picture of the screen. */
function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; redraw(); });
}

function seedOf() {
  return Number.isSafeInteger(state.seed) && state.seed >= 0 ? state.seed : 0;
}

function copiesNow() {
  return Array.from({ length: state.copies }, (_, i) => {
    const found = drawn(state.nodes, state.photo.shape, seedOf(), state.first + i, state.photo.key);
    return { found, passes: passesOf(found, state.photo.shape) };
  });
}

/** Make the tiles: the photo and its copies. */
function rebuildGrid() {
  tiles = Array.from({ length: state.copies + 1 }, tile);
  at("grid").replaceChildren(...tiles.map((one) => one.figure));
  const columns = Math.ceil(Math.sqrt(tiles.length));
  at("grid").style.gridTemplateColumns = `repeat(${Math.min(columns, innerWidth < 560 ? 2 : 5)}, minmax(0, 1fr))`;
  const [first] = tiles;
  first.view.tabIndex = 0;
  first.view.setAttribute("role", "group");
  first.view.setAttribute("aria-label", "The photo as it is. With a box or a point chosen: Enter adds one, arrows move it, Shift with arrows resizes a box, Delete removes it.");
  markable(first.view, state, () => state.photo.shape, changed);
  laidOut = false;
  marked();
}

function marked() {
  for (const mode of ["box", "point"]) at(mode).setAttribute("aria-pressed", String(state.mode === mode));
  tiles[0]?.view.classList.toggle("marking", state.mode !== null);
  at("hint").textContent = { box: "Drag over the first picture.", point: "Click on the first picture." }[state.mode] ?? "";
}

/** The part of the canvas under a tile, in its pixels. */
function place(one) {
  const ratio = devicePixelRatio || 1, { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = one.view;
  return [left, top, width, height].map((v) => Math.round(v * ratio));
}

function redraw() {
  if (!state.photo) return;
  const copies = copiesNow(), bare = { links: [], front: [], back: [], matrix: IDENTITY, windows: [], sampling: {}, inShape: state.photo.shape, shape: state.photo.shape };
  const all = [{ passes: [bare], found: null }, ...copies];
  let moved = !laidOut;
  all.forEach(({ passes }, i) => { moved = sized(tiles[i], passes[passes.length - 1].shape) || moved; });
  if (moved) {
    const ratio = devicePixelRatio || 1, stage = at("stage");
    const size = [stage.clientWidth, stage.clientHeight].map((v) => Math.max(Math.round(v * ratio), 1));
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    tiles.forEach((one) => { one.place = place(one); });
    laidOut = true;
  }
  painter.begin();
  all.forEach(({ passes, found }, i) => {
    painter.show(passes, tiles[i].place);
    overlaid(tiles[i], found ? movedAnnotations(state.marks, passes) : state.marks);
    const [rows, columns] = passes[passes.length - 1].shape;
    tiles[i].caption.textContent = found ? `${state.first + i - 1}: ${captionOf(found)}` : `${state.photo.name}, ${columns} × ${rows}`;
  });
  written(copies);
}

function eachNode(nodes, visit) {
  nodes.forEach((node) => { visit(node); eachNode(node.children ?? [], visit); });
}

/** What acts on one channel otherwise than on three that are alike. */
const OF_CHANNELS = ["Sepia", "ChannelGain", "ChannelShift", "ChannelDropout", "ColorTemperature", "Lighting"];

/** The texts that follow from the transforms: their problems, what is not drawn, the file. */
function written(copies) {
  const problem = copies.map(({ found }) => found.problem).find(Boolean), out = [];
  document.querySelectorAll("#list li").forEach((item) => item.tell(problem?.node === item.node ? problem.text : null));
  const orders = new Set(), coloured = new Set();
  eachNode(state.nodes, (node) => {
    if (state.photo.gray && OF_CHANNELS.includes(node.name)) coloured.add(node.name);
    if (!isLive(node)) out.push(node.name);
    else if (node.name in GEOMETRY && parametersOf(node).order > 1) orders.add(node.name);
  });
  const notes = [];
  if (out.length) notes.push(`Not drawn here, but in the file: ${[...new Set(out)].join(", ")}. Run imagemill preview to see ${out.length > 1 ? "them" : "it"}.`);
  if (orders.size) notes.push(`Drawn with order 1 in the place of a spline: ${[...orders].join(", ")}.`);
  if (coloured.size) notes.push(`This photo is gray, and drawn as red, green and blue that are alike; imagemill gives a gray image one channel, on which these act otherwise: ${[...coloured].join(", ")}. With channels="rgb" they act as here.`);
  at("undrawn").textContent = notes.join(" ");
  at("yaml").textContent = yamlOf(state.nodes, seedOf(), OPENED.asked);
  const name = JSON.stringify(state.photo.name);
  at("code").textContent = `imagemill preview ${/^[\w./-]+$/.test(state.photo.name) ? state.photo.name : name} -p pipeline.yaml\n\nimport imagemill as im\n\npipe = im.Pipeline.load("pipeline.yaml")\ncopy = pipe(im.read_picture(${name}).array, key=${name}, epoch=${state.first})`;
}

function rebuildList(keep = null, way = "") {
  const items = state.nodes.map((node) => nodeControls(node, state.nodes, rebuildList, open));
  at("list").replaceChildren(...items);
  if (keep) {
    const item = [...document.querySelectorAll("#list li")].find((one) => one.node === keep);
    const button = item?.querySelector(`summary button:nth-of-type(${way === "up" ? 1 : 2})`);
    (button && !button.disabled ? button : item?.querySelector("summary"))?.focus();
  }
}

function fillAdd() {
  const names = Object.keys(DECLARED), group = (label, list) => element("optgroup", { label }, ...list.map((name) => element("option", {}, name)));
  at("add").replaceChildren(
    element("option", { value: "" }, "a transform…"),
    group("geometry", names.filter((name) => name in GEOMETRY)),
    group("colour", names.filter((name) => name in COLOUR)),
    group("not drawn here", names.filter((name) => !isLive({ name }))));
}

async function openFile(file) {
  try {
    show(await photoOf(file, file.name, hashKey(file.name)));
    state.marks = [];
    changed();
  } catch (error) {
    at("about").textContent = error.message;
    at("about").className = "problem";
  }
}

function show(photo) {
  state.photo = photo;
  painter.photo(photo);
  at("about").className = "quiet";
  at("about").textContent = "Your photo stays in this browser: the page loads and sends nothing.";
  laidOut = false;
  redraw();
}

function listen() {
  at("file").addEventListener("change", (event) => event.target.files[0] && openFile(event.target.files[0]));
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
  at("copies").addEventListener("change", (event) => { state.copies = Number(event.target.value); rebuildGrid(); changed(); });
  at("seed").addEventListener("input", (event) => { state.seed = Number(event.target.value); changed(); });
  at("first").addEventListener("input", (event) => { state.first = Math.max(Math.floor(Number(event.target.value)) || 0, 0); changed(); });
  at("reseed").addEventListener("click", () => {
    state.seed = crypto.getRandomValues(new Uint32Array(1))[0];
    at("seed").value = state.seed;
    changed();
  });
  for (const mode of ["box", "point"]) at(mode).addEventListener("click", () => { state.mode = state.mode === mode ? null : mode; marked(); });
  at("clear").addEventListener("click", () => { state.marks = []; changed(); });
  at("add").addEventListener("change", (event) => {
    const name = event.target.value;
    if (!name) return;
    const node = { name, params: structuredClone(DECLARED[name].begin) };
    if (name in GROUPS) node.children = [];
    event.target.value = "";
    state.nodes.push(node);
    open.add(node);
    rebuildList();
    at("list").lastElementChild.querySelector("summary").focus();
    changed();
  });
  at("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(at("yaml").textContent).then(() => { at("copied").textContent = "copied"; }, () => {
      getSelection().selectAllChildren(at("yaml"));
      at("copied").textContent = "selected: press Ctrl+C";
    });
    setTimeout(() => { at("copied").textContent = ""; }, 3000);
  });
  at("save").addEventListener("click", () => {
    const link = element("a", { href: URL.createObjectURL(new Blob([at("yaml").textContent], { type: "text/plain" })), download: "pipeline.yaml" });
    link.click();
  });
  new ResizeObserver(() => { laidOut = false; changed(); }).observe(at("stage"));
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => location.reload());
}

async function begin() {
  at("seed").value = state.seed;
  at("copies").value = String(state.copies);
  at("how").textContent = painter.graphics
    ? "Drawn by the graphics card. What is larger than its picture on the screen is averaged first, so fine detail may look a little different from the files; colours and places are those of imagemill."
    : "This browser has no WebGL 2, so pictures are drawn by a plain script: the same, but slower.";
  fillAdd();
  rebuildList();
  rebuildGrid();
  listen();
  show(await photoOf(blobOf(OPENED.picture), OPENED.name, OPENED.key));
  document.body.dataset.ready = "yes";
}

// For tests, and for who wants to measure.
window.imagemill = {
  ready: begin(),
  state,
  hashKey,
  yaml: (nodes, seed) => yamlOf(nodes, seed),
  isLive,
  open: (data, shape, name = "test", key = [0, 0]) => show(photoFrom({ data }, shape, name, key)),

  /** The pixels of one copy at its own size: `by` is "graphics" or "script". */
  pixels(nodes, image, seed, epoch, key, by) {
    const found = drawn(nodes, image.shape, seed, epoch, key);
    if (found.problem) throw new Error(found.problem.text);
    const passes = passesOf(found, image.shape), log = found.log.map(({ name, values }) => [name, values]);
    if (by === "script") return { ...runAll(image, passes), log, passes };
    painter.graphics.load(image, image.shape);
    return { ...painter.graphics.pixels(withMeans(passes, image, Infinity)), log, passes };
  },
  annotations: (marks, passes) => movedAnnotations(marks, passes),

  /** Frames a second of the page as it stands, every frame drawn with another seed and waited for. */
  frames(seconds) {
    const begun = performance.now(), seed = state.seed;
    let count = 0;
    while (performance.now() - begun < seconds * 1000) {
      state.seed = seed + count;
      redraw();
      painter.finish();
      count += 1;
    }
    state.seed = seed;
    redraw();
    return { frames: count / ((performance.now() - begun) / 1000), renderer: painter.graphics?.renderer ?? "canvas", photo: state.photo.shape, copies: state.copies, canvas: [canvas.height, canvas.width] };
  },
};
