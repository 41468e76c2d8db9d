"""The one script that a page may hold: tables that are searched, narrowed and sorted, a hundred rows at a time.

It asks for nothing and stores nothing; without it the same table is there in whole, in the order it was written.
"""

from __future__ import annotations

import base64
import hashlib

__all__ = ["SCRIPT", "SCRIPT_HASH"]

SCRIPT = """
"use strict";
document.querySelectorAll("table.searched").forEach(function (table) {
  var SIZE = 100;
  var body = table.tBodies[0], all = Array.from(body.rows), kept = all, from = 0;
  var heads = Array.from(table.tHead.rows[0].cells);
  var order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  var frame = table.parentNode, bar = document.createElement("div"), selects = [];
  bar.className = "find";
  function made(name, words, into) {
    var one = document.createElement(name);
    one.textContent = words;
    into.appendChild(one);
    return one;
  }
  function key(row, column) {
    var cell = row.cells[column];
    return cell.dataset.key !== undefined ? cell.dataset.key : cell.textContent.replace(/,(?=\\d{3})/g, "");
  }
  function text(row) {
    if (row.words === undefined) { row.words = row.textContent.toLowerCase(); }
    return row.words;
  }
  var search = document.createElement("input");
  search.type = "search";
  made("label", "Find ", bar).appendChild(search);
  heads.forEach(function (head, column) {
    if (!head.hasAttribute("data-choose")) { return; }
    var label = made("label", head.textContent + " ", bar), select = made("select", "", label);
    made("option", "all", select).value = "";
    var seen = [];
    all.forEach(function (row) {
      var word = row.cells[column].textContent;
      if (seen.indexOf(word) < 0) { seen.push(word); made("option", word, select).value = word; }
    });
    select.dataset.column = column;
    selects.push(select);
  });
  var back = made("button", "Earlier", bar), next = made("button", "Later", bar), said = made("span", "", bar);
  back.type = next.type = "button";
  said.setAttribute("role", "status");
  function show() {
    var rows = kept.slice(from, from + SIZE), count = kept.length.toLocaleString("en");
    body.replaceChildren.apply(body, rows);
    back.hidden = next.hidden = kept.length <= SIZE;
    back.disabled = from === 0;
    next.disabled = from + SIZE >= kept.length;
    said.textContent = kept.length === 0 ? "None of " + all.length.toLocaleString("en")
      : rows.length === all.length ? "All " + count
      : (from + 1).toLocaleString("en") + " to " + (from + rows.length).toLocaleString("en") + " of " + count;
  }
  function narrow() {
    var words = search.value.toLowerCase().split(/\\s+/).filter(Boolean), asked = {};
    selects.forEach(function (one) { if (one.value) { asked[one.dataset.column] = one.value; } });
    kept = all.filter(function (row) {
      return words.every(function (word) { return text(row).indexOf(word) >= 0; })
        && Object.keys(asked).every(function (column) { return row.cells[column].textContent === asked[column]; });
    });
    from = 0;
    show();
  }
  heads.forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(function (one) { one.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      all.sort(function (a, b) { return (down ? -1 : 1) * order.compare(key(a, column), key(b, column)); });
      narrow();
    });
  });
  search.addEventListener("input", narrow);
  selects.forEach(function (one) { one.addEventListener("change", narrow); });
  back.addEventListener("click", function () { from = Math.max(0, from - SIZE); show(); });
  next.addEventListener("click", function () { from += SIZE; show(); });
  frame.parentNode.insertBefore(bar, frame);
  show();
});
"""

SCRIPT_HASH = "sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
"""What a page lets a browser run: this text, and no other."""
