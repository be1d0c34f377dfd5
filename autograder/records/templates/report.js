"use strict";
// Sorts, filters and searches the tables of students; without it the page is whole.
for (const sheet of document.querySelectorAll(".sheet")) {
  const table = sheet.querySelector("table.class");
  const rows = [...table.tBodies[0].rows];
  const search = sheet.querySelector("input");
  const filter = sheet.querySelector("select");
  const told = sheet.querySelector("output");
  sheet.querySelector(".controls").hidden = false;

  function show() {
    const words = search.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      const flags = row.dataset.flags.split(", ");
      const fits = words.every((word) => name.includes(word));
      row.hidden = !fits || (filter.value !== "" && !flags.includes(filter.value));
      shown += row.hidden ? 0 : 1;
    }
    told.value = shown === rows.length ? "" : `${shown} of ${rows.length}`;
  }

  search.addEventListener("input", show);
  filter.addEventListener("change", show);
  search.addEventListener("keydown", (event) => {
    const first = [...table.tBodies[0].rows].find((row) => !row.hidden);
    if (event.key === "Enter" && first) {
      first.scrollIntoView({ block: "nearest" });
      first.querySelector("a")?.focus();
    }
  });

  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = Number(text);
    return text === "" || Number.isNaN(number) ? text : number;
  };
  // Numbers come before words, and what is not decided comes last either way.
  function compare(a, b, sign) {
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return sign * a.localeCompare(b, undefined, { numeric: true });
  }

  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const keys = new Map(rows.map((row) => [row, value(row, column)]));
      const sorted = [...rows].sort((a, b) => compare(keys.get(a), keys.get(b), sign));
      table.tBodies[0].append(...sorted);
    });
  }
}

document.addEventListener("keydown", (event) => {
  const search = document.querySelector(".sheet input");
  if (event.key === "/" && search && !event.target.closest("input, select")) {
    event.preventDefault();
    search.focus();
  }
});
