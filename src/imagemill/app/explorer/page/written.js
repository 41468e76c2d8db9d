// What a pipeline file says, in YAML that Pipeline.from_yaml reads.

function numberText(value) {
  const text = String(value);
  // YAML 1.1 takes 1e-7 for text.
  return text.includes("e") ? value.toFixed(12).replace(/0+$/, "").replace(/\.$/, "") : text;
}

function flow(value) {
  if (value === null) return "null";
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return /^[a-z_]+$/.test(value) && !["y", "n", "no", "yes", "on", "off", "null", "true", "false"].includes(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([k, v]) => `${flow(k)}: ${flow(v)}`).join(", ")}}`;
  return String(value);
}

function nodeLines(node, indent) {
  const params = { ...node.params };
  if (!node.children) return [`${indent}- ${node.name}: ${flow(params)}`];
  const rest = Object.entries(params).map(([k, v]) => `${indent}    ${k}: ${flow(v)}`);
  return [`${indent}- ${node.name}:`, ...rest, `${indent}    transforms:`, ...node.children.flatMap((child) => nodeLines(child, `${indent}    `))];
}

/** The file of a pipeline: `asked` is what it says beside its transforms. */
function yamlOf(nodes, seed, asked = {}) {
  const head = [`imagemill: ${TABLES.format}`, `seed: ${seed}`, ...Object.entries(asked).map(([k, v]) => `${k}: ${flow(v)}`)];
  return [...head, nodes.length ? "transforms:" : "transforms: []", ...nodes.flatMap((node) => nodeLines(node, ""))].join("\n") + "\n";
}
