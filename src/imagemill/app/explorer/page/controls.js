// The list of transforms with a slider for each parameter, from what their declarations say.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function shownNumber(value) {
  return String(Number(Number(value).toPrecision(4)));
}

/** The values of a distribution, in a few characters. */
function shownValue(plain) {
  if (plain === null || typeof plain !== "object") return typeof plain === "number" ? shownNumber(plain) : String(plain);
  if (Array.isArray(plain)) return plain.map(shownValue).join(plain.length === 2 ? " to " : ", ");
  return Object.entries(plain).map(([k, v]) => `${k} ${v && typeof v === "object" && !Array.isArray(v) ? shownValue(v) : [v].flat().join(", ")}`).join(", ");
}

function kindOf(plain) {
  if (plain === null || plain === undefined) return "none";
  if (typeof plain === "number") return "fixed";
  if (Array.isArray(plain)) return "range";
  return Object.keys(plain)[0];
}

const SHOWN_KINDS = { none: "not used", fixed: "fixed", range: "range", log_uniform: "range, in the logarithm", normal: "normal", choice: "one of", ramp: "by epoch" };

/** A distribution as another kind, with about the same values. */
function asKind(plain, kind, slider) {
  const [low, high] = plain === null || plain === undefined ? middleOf(slider) : bounds(distribution(plain));
  const middle = (low + high) / 2;
  switch (kind) {
    case "none": return null;
    case "fixed": return neat(middle);
    case "range": return [low, high];
    case "log_uniform": return { log_uniform: low > 0 ? [low, high] : [slider[2], Math.max(high, slider[2])] };
    case "ramp": return { ramp: { 0: neat(middle), 20: [low, high] } };
    case "normal": return { normal: { mean: neat(middle), std: neat(Math.max((high - low) / 6, slider[2] / 10)) } };
    default: return { choice: [...new Set([low, middle, high].map(neat))] };
  }
}

function middleOf([low, high]) {
  return [neat(low + (high - low) * 0.375), neat(low + (high - low) * 0.625)];
}

function neat(value) {
  return Number(value.toPrecision(6));
}

/** A slider with a number beside it. */
function slide(label, of, value, [low, high, step], set) {
  const change = (input, other) => () => {
    const number = Number(input.value);
    if (input.value === "" || Number.isNaN(number)) return;
    other.value = number;
    set(number);
  };
  const range = element("input", { type: "range", min: low, max: high, step, value, ariaLabel: `${of}, ${label}` });
  const number = element("input", { type: "number", step: "any", value, ariaLabel: `${of}, ${label}, as a number` });
  range.addEventListener("input", change(range, number));
  number.addEventListener("input", change(number, range));
  return element("div", { className: "slide" }, element("span", {}, label), range, number);
}

/** The controls of one parameter that may be drawn. */
function drawnField(name, owner, field, plain, set, rebuild) {
  const shown = `${owner} ${name}`, kinds = Object.keys(SHOWN_KINDS).filter((kind) => kind !== "none" || field.optional);
  const kind = kindOf(plain);
  const choose = element("select", { className: "kind", ariaLabel: `${shown}: how it is drawn`, onchange: () => { set(asKind(plain, choose.value, field.slider)); rebuild(); } },
    ...kinds.map((one) => element("option", { value: one, selected: one === kind }, SHOWN_KINDS[one])));
  const made = element("fieldset", { className: "field" }, element("span", { className: "name" }, field.unit ? `${name} (${field.unit})` : name), choose);
  const s = field.slider;
  // What is set is what stands there at that moment: sliders change one end each.
  const pair = (values, write) => {
    const now = [...values];
    ["from", "to"].forEach((end, i) => made.append(slide(end, shown, now[i], s, (v) => {
      now[i] = v;
      // One end pushes the other.
      if (now[0] > now[1]) now[1 - i] = v;
      made.querySelectorAll(".slide").forEach((row, k) => row.querySelectorAll("input").forEach((input) => { if (k !== i) input.value = now[k]; }));
      write([...now]);
    })));
  };
  if (kind === "fixed") made.append(slide("value", shown, plain, s, set));
  else if (kind === "range") pair(plain, set);
  else if (kind === "log_uniform" || kind === "uniform") pair(bounds(distribution(plain)), (v) => set({ [kind]: v }));
  else if (kind === "normal") {
    const now = distribution(plain), write = () => set({ normal: { mean: now.mean, std: now.std, ...(now.limit === 3 ? {} : { limit: now.limit }) } });
    made.append(
      slide("mean", shown, now.mean, s, (v) => { now.mean = v; write(); }),
      slide("std", shown, now.std, [s[2] / 10, (s[1] - s[0]) / 4, s[2] / 10], (v) => { now.std = Math.max(v, 1e-9); write(); }));
  } else if (kind === "ramp") {
    made.append(textInput(`${shown}: what it is in which epoch, as JSON`, JSON.stringify(plain.ramp), (text) => {
      const ramp = { ramp: JSON.parse(text) };
      bounds(distribution(ramp));
      set(ramp);
    }));
  } else if (kind === "choice") {
    const said = distribution(plain).values;
    made.append(textInput(`${shown}: values`, said.join(", "), (text) => {
      const values = text.split(/[,\s]+/).filter(Boolean).map(Number);
      if (!values.length || values.some(Number.isNaN)) throw new Error("expected numbers with commas between them");
      set({ choice: values });
    }));
  }
  return made;
}

function textInput(label, value, read) {
  const input = element("input", { type: "text", className: "text", value, ariaLabel: label, spellcheck: false });
  input.addEventListener("input", () => {
    try {
      read(input.value);
      input.setCustomValidity("");
      input.removeAttribute("aria-invalid");
    } catch (error) {
      input.setCustomValidity(error.message);
      input.setAttribute("aria-invalid", "true");
      input.reportValidity();
    }
  });
  return input;
}

/** Numbers as a person writes them: 224, or 224, 320; or what a file would say. */
function readPlain(text) {
  const t = text.trim();
  if (t === "") return null;
  if (/^[-\d.,\s]+$/.test(t)) {
    const numbers = t.split(/[,\s]+/).filter(Boolean).map(Number);
    if (numbers.some(Number.isNaN)) throw new Error("expected numbers");
    return numbers.length === 1 ? numbers[0] : numbers;
  }
  try {
    return JSON.parse(t);
  } catch {
    return t;
  }
}

/** The controls of one parameter. */
function fieldControls(name, node, rebuild) {
  const field = DECLARED[node.name].fields[name], value = parametersOf(node)[name], fallback = DECLARED[node.name].defaults[name];
  const set = (v) => {
    // What is as the declaration has it need not be in the file.
    if (JSON.stringify(v) === JSON.stringify(fallback)) delete node.params[name];
    else node.params[name] = v;
    changed();
  };
  if (field.kind === "share") {
    const made = element("div", { className: "field" }, element("span", { className: "name" }, "p: how often"));
    made.append(slide("share", `${node.name} p`, value, field.slider, (v) => set(Math.min(Math.max(v, 0), 1))));
    return made;
  }
  if (field.kind === "param") {
    if (field.perAxis && value && !isDistribution(value)) return axesControls(name, node, field, value, set, rebuild);
    const made = drawnField(name, node.name, field, value ?? null, set, rebuild);
    if (field.perAxis && value !== null && value !== undefined) {
      made.append(element("button", { type: "button", onclick: () => { set({ y: value, x: value }); rebuild(); } }, "y and x apart"));
    }
    return made;
  }
  const label = `${node.name} ${name}`;
  let input;
  if (field.kind === "words") {
    input = element("select", { ariaLabel: label, onchange: () => set(field.words[input.selectedIndex]) },
      ...field.words.map((word) => element("option", { selected: word === value }, String(word))));
  } else {
    const shown = value === null || value === undefined ? "" : Array.isArray(value) && !value.some(Array.isArray) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
    input = textInput(label, shown, (text) => set(readPlain(text)));
    input.placeholder = "not used";
  }
  return element("div", { className: "field" }, element("span", { className: "name" }, name), input);
}

function axesControls(name, node, field, value, set, rebuild) {
  const made = element("div", { className: "fields" });
  for (const axis of Object.keys(value)) {
    made.append(drawnField(`${name} along ${axis}`, node.name, { ...field, optional: false }, value[axis], (v) => { value[axis] = v; set({ ...value }); }, rebuild));
  }
  made.append(element("button", { type: "button", onclick: () => { set(Object.values(value)[0]); rebuild(); } }, "y and x alike"));
  return made;
}

/** One transform of the list. */
function nodeControls(node, siblings, rebuild, open) {
  const live = isLive(node), at = siblings.indexOf(node), known = node.name in DECLARED;
  const move = (by) => (event) => {
    event.preventDefault();
    siblings.splice(at, 1);
    if (by) siblings.splice(at + by, 0, node);
    rebuild(by ? node : null, by < 0 ? "up" : by > 0 ? "down" : "");
    changed();
  };
  const button = (text, label, by, disabled) => element("button", { type: "button", title: label, ariaLabel: `${label}: ${node.name}`, disabled, onclick: move(by) }, text);
  const said = element("span", { className: "said-values" });
  const summary = element("summary", {}, node.name, live ? null : element("span", { className: "tag" }, "not drawn here"), said,
    button("↑", "Move up", -1, at === 0), button("↓", "Move down", 1, at === siblings.length - 1), button("✕", "Remove", 0, false));
  const details = element("details", { className: live ? "" : "undrawn", open: open.has(node) }, summary);
  details.addEventListener("toggle", () => (details.open ? open.add(node) : open.delete(node)));
  const fields = element("div", { className: "fields" });
  const fill = () => {
    fields.replaceChildren();
    if (known) fields.append(element("p", { className: "quiet" }, DECLARED[node.name].summary));
    if (known && live) Object.keys(DECLARED[node.name].fields).forEach((name) => fields.append(fieldControls(name, node, fill)));
    else fields.append(textInput(`${node.name}: parameters as JSON`, JSON.stringify(node.params), (text) => { node.params = JSON.parse(text); changed(); }));
  };
  fill();
  details.append(fields, element("p", { className: "problem" }));
  if (node.children) {
    const inner = element("ol");
    node.children.forEach((child) => inner.append(nodeControls(child, node.children, rebuild, open)));
    details.append(inner);
  }
  const item = element("li", {}, details);
  item.node = node;
  item.tell = (problem) => {
    const drawnBy = (k) => DECLARED[node.name]?.fields[k]?.kind === "param";
    const shown = (k, v) => (drawnBy(k) ? shownValue(v) : [v].flat().map(shownValue).join(", "));
    const values = Object.entries(node.params).map(([k, v]) => `${k} ${shown(k, v)}`).join("; ");
    said.textContent = values || "as it comes";
    details.querySelector(".problem").textContent = problem ?? "";
    if (problem) details.open = true;
  };
  return item;
}
