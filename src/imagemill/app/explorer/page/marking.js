// Boxes and points put on the photo by hand: with the mouse, a finger or the keyboard.

/** Make a view take marks; `state` is {marks, mode} and `done` is called after each change. */
function markable(view, state, shapeOf, done) {
  let begun = null;
  const at = (event) => {
    const area = view.getBoundingClientRect(), [rows, columns] = shapeOf();
    const clip = (v, n) => Math.min(Math.max(v, 0), n);
    return [clip(((event.clientY - area.top) / area.height) * rows, rows), clip(((event.clientX - area.left) / area.width) * columns, columns)];
  };
  const between = ([y0, x0], [y1, x1]) => [Math.min(y0, y1), Math.min(x0, x1), Math.max(y0, y1), Math.max(x0, x1)];

  view.addEventListener("pointerdown", (event) => {
    if (!state.mode) return;
    event.preventDefault();
    view.setPointerCapture(event.pointerId);
    begun = at(event);
    state.marks.push(state.mode === "box" ? { box: [...begun, ...begun] } : { point: begun });
    done();
  });
  view.addEventListener("pointermove", (event) => {
    if (!begun) return;
    const last = state.marks[state.marks.length - 1];
    if (last.box) last.box = between(begun, at(event));
    else last.point = at(event);
    done();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    view.addEventListener(name, () => {
      if (!begun) return;
      begun = null;
      const last = state.marks[state.marks.length - 1];
      // A box of no size was a slip of the hand.
      if (last.box && (last.box[2] - last.box[0] < 2 || last.box[3] - last.box[1] < 2)) state.marks.pop();
      done();
    });
  }
  view.addEventListener("keydown", (event) => {
    const [rows, columns] = shapeOf(), last = state.marks[state.marks.length - 1];
    const step = Math.max(Math.round(Math.max(rows, columns) / 100), 1);
    const way = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
    if ((event.key === "Enter" || event.key === " ") && state.mode) {
      state.marks.push(state.mode === "box" ? { box: [rows * 0.3, columns * 0.3, rows * 0.7, columns * 0.7] } : { point: [rows / 2, columns / 2] });
    } else if ((event.key === "Delete" || event.key === "Backspace") && last) {
      state.marks.pop();
    } else if (way && last && last.box) {
      const [y, x] = way;
      const moved = last.box.map((v, i) => v + (event.shiftKey && i < 2 ? 0 : i % 2 ? x : y));
      if (moved[2] > moved[0] + 1 && moved[3] > moved[1] + 1) last.box = moved;
    } else if (way && last) {
      last.point = last.point.map((v, i) => v + way[i]);
    } else {
      return;
    }
    event.preventDefault();
    done();
  });
}
