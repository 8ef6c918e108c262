"use strict";
// The list of pairs: filters, sorts, pages, and keeps what a reviewer says. Texts are set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("pair-data").textContent);
  const byId = (id) => document.getElementById(id);
  const list = byId("pair-list"), blank = byId("pair-blank").content.firstElementChild;
  const FACETS = ["way", "modality", "split", "licence", "kind"];
  const WAYS = Object.fromEntries([...byId("by-way").options].map((each) => [each.value, each.textContent]));
  const ORDERS = {
    doubtful: (a, b) => a.score - b.score || (a.id < b.id ? -1 : 1),
    sure: (a, b) => b.score - a.score || (a.id < b.id ? -1 : 1),
    name: (a, b) => (a.id < b.id ? -1 : 1),
  };
  const key = `figray-review:${data.run}:${data.digest}`;
  let said = {}, shown = data.rows, page = 0;
  try { said = JSON.parse(localStorage.getItem(key)) || {}; } catch { /* a browser that keeps nothing */ }

  const perPage = () => (matchMedia("(max-width: 760px)").matches ? 3 : 12);
  const verdict = (row) => (said[row.id] && said[row.id].mark === row.mark ? said[row.id].verdict : "");

  function wanted(row, asked) {
    if (FACETS.some((name) => asked[name] && row[name] !== asked[name])) return false;
    if (row.score < asked.from || row.score > asked.to) return false;
    if (asked.judged && (verdict(row) || "none") !== asked.judged) return false;
    const caption = (data.figures[row.figure] || {}).caption || "";
    return asked.words.every((word) => `${row.text} ${caption} ${row.id}`.toLowerCase().includes(word));
  }

  function asked() {
    const number = (id, other) => (byId(id).value === "" ? other : Number(byId(id).value));
    const facets = Object.fromEntries(FACETS.map((name) => [name, byId(`by-${name}`).value]));
    const words = byId("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    return { ...facets, words, judged: byId("by-verdict").value, from: number("score-from", 0), to: number("score-to", 1) };
  }

  function choose() {
    const now = asked();
    shown = data.rows.filter((row) => wanted(row, now)).sort(ORDERS[byId("order").value]);
    page = 0;
    draw();
  }

  function drawn(row) {
    const card = blank.cloneNode(true), figure = data.figures[row.figure] || {};
    const set = (name, text) => { card.querySelector(`.${name}`).textContent = text; };
    const image = card.querySelector("img");
    if (row.image) Object.assign(image, { src: row.image, width: row.width, height: row.height, alt: `Image of ${row.id}` });
    else image.replaceWith(Object.assign(document.createElement("p"), { className: "absent", textContent: "image not shown" }));
    set("text", row.text);
    set("score", row.score.toFixed(2));
    set("how", `${WAYS[row.way] || row.way}${row.reason ? `, ${row.reason}` : ""}`);
    set("facts", [row.modality, row.split, row.licence, row.kind].join(" · "));
    set("id", row.id);
    if (figure.caption && figure.caption !== row.text) set("caption", figure.caption);
    else card.querySelector("details").remove();
    for (const name of ["PMC", "DOI", "file"]) {
      const link = card.querySelector(`.${name}`);
      if (figure[name]) link.href = figure[name];
      else link.remove();
    }
    for (const button of card.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.value}: ${row.id}`);
      button.addEventListener("click", () => judge(row, button.value, card));
    }
    pressed(card, row);
    return card;
  }

  function pressed(card, row) {
    card.className = `pair ${verdict(row)}`;
    for (const each of card.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each.value === verdict(row)));
  }

  function judge(row, value, card) {
    if (verdict(row) === value) delete said[row.id];
    else said[row.id] = { verdict: value, mark: row.mark };
    try { localStorage.setItem(key, JSON.stringify(said)); } catch { /* it stays until the page is closed */ }
    pressed(card, row);
    count();
  }

  function draw() {
    const size = perPage(), pages = Math.max(1, Math.ceil(shown.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    list.replaceChildren(...shown.slice(page * size, (page + 1) * size).map(drawn));
    for (const text of list.querySelectorAll(".text")) if (text.scrollHeight > text.clientHeight) text.tabIndex = 0;
    byId("pages").textContent = `Page ${page + 1} of ${pages}`;
    byId("before").disabled = page === 0;
    byId("next").disabled = page === pages - 1;
    count();
  }

  function reviews() {
    return data.rows.filter(verdict).map((row) => ({ pair_id: row.id, verdict: verdict(row), mark: row.mark }));
  }

  function count() {
    const judged = reviews(), wrong = judged.filter((each) => each.verdict === "wrong").length;
    byId("found").textContent = `${shown.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} pairs`;
    byId("judged").textContent = judged.length ? `${judged.length} judged, ${wrong} wrong` : "none judged yet";
    byId("as-json").disabled = byId("as-csv").disabled = !judged.length;
  }

  function save(name, kind, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  byId("as-json").addEventListener("click", () => save("review.json", "application/json", JSON.stringify(
    { format: "figray-review", run: data.run, pairs: data.digest, reviews: reviews() }, null, 1)));
  byId("as-csv").addEventListener("click", () => save("review.csv", "text/csv", ["pair_id,verdict,mark",
    ...reviews().map((row) => [row.pair_id, row.verdict, row.mark].map(quoted).join(","))].join("\n") + "\n"));
  byId("before").addEventListener("click", () => { page -= 1; draw(); });
  byId("next").addEventListener("click", () => { page += 1; draw(); });
  byId("filters").addEventListener("input", choose);
  matchMedia("(max-width: 760px)").addEventListener("change", draw);
  byId("filters").hidden = byId("pager").hidden = byId("review").hidden = false;
  list.classList.add("clipped");
  choose();
})();
