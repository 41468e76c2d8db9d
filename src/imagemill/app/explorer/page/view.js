// The grid of pictures: one canvas under all of them, and over each its boxes and points.

const SVG = "http://www.w3.org/2000/svg";

function vector(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

/** One picture of the grid. */
function tile() {
  const svg = vector("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const view = element("div", { className: "view" }), caption = element("figcaption", { className: "quiet" });
  view.append(svg);
  return { figure: element("figure", {}, view, caption), view, svg, caption, shape: [0, 0] };
}

/** Give a tile the sides of its frame; true where that changed anything. */
function sized(one, shape) {
  if (one.shape[0] === shape[0] && one.shape[1] === shape[1]) return false;
  one.shape = shape;
  one.view.style.aspectRatio = `${shape[1]} / ${shape[0]}`;
  one.svg.setAttribute("viewBox", `0 0 ${shape[1]} ${shape[0]}`);
  return true;
}

/** Boxes and points over a picture: corners as they came to lie, and the box about them. */
function overlaid(one, annotations) {
  one.svg.replaceChildren();
  const radius = Math.max(...one.shape) / 60;
  const add = (tag, attributes) => {
    one.svg.append(vector(tag, { ...attributes, class: "outline" }), vector(tag, attributes));
  };
  for (const mark of annotations) {
    if (mark.box) {
      const [y0, x0, y1, x1] = mark.box;
      add("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, class: "mark" });
      if (mark.corners) one.svg.append(vector("polygon", { points: mark.corners.map(([y, x]) => `${x},${y}`).join(" "), class: "turned" }));
    } else if (mark.point) {
      add("circle", { cy: mark.point[0], cx: mark.point[1], r: radius, class: "mark" });
    }
  }
}

/** What was drawn for a copy, in words. */
function captionOf(found) {
  if (found.problem) return found.problem.text;
  if (!found.log.length) return "nothing runs";
  return found.log.map(({ name, values }) => [name, ...Object.entries(values).map(([k, v]) => `${k} ${shownNumber(v)}`)].join(" ")).join(" · ");
}

/** The painter: WebGL where there is one, a plain canvas where not. */
function painterOf(canvas, plain = false) {
  const graphics = plain ? null : graphicsOf(canvas);
  const context = graphics ? null : canvas.getContext("2d");
  let photo = null, reduced = null;
  return {
    graphics,
    photo(next) {
      photo = next;
      reduced = null;
      if (!graphics) return;
      const most = graphics.limit;
      if (Math.max(...photo.shape) <= most) graphics.load(photo.source, photo.shape);
      else {
        const fitting = pixelsOf(photo.source, photo.shape, most);
        graphics.load(fitting, fitting.shape);
      }
    },
    begin() {
      if (graphics) graphics.begin();
      else context.clearRect(0, 0, canvas.width, canvas.height);
    },
    show(passes, [left, top, width, height]) {
      const known = withMeans(passes, photo.small, 32);
      if (graphics && graphics.fits(known)) {
        graphics.show(known, [left, top, width, height]);
        return;
      }
      const last = known[known.length - 1], share = Math.min(1, width / last.shape[1]);
      reduced ??= pixelsOf(photo.source, photo.shape, Math.min(FALLBACK, Math.max(...photo.shape)));
      const made = runAll(reduced, smaller(known, reduced.shape, share));
      const whole = Object.assign(document.createElement("canvas"), { width: made.shape[1], height: made.shape[0] });
      whole.getContext("2d").putImageData(new ImageData(made.data, made.shape[1], made.shape[0]), 0, 0);
      if (context) {
        context.imageSmoothingEnabled = false;
        context.drawImage(whole, left, top, width, height);
      }
    },
    finish: () => graphics?.finish(),
  };
}
