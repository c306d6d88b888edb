"use strict";
// The page tells everything without this; here it sorts, filters, enlarges and exports.
const all = (wanted, within = document) => [...within.querySelectorAll(wanted)];
const one = (wanted, within = document) => within.querySelector(wanted);
const cards = all(".card");
const data = JSON.parse(one("#data")?.textContent || '{"columns":[],"rows":[]}');
const rowOf = (card) => Object.fromEntries(data.columns.map((name, i) => [name, data.rows[card.dataset.n - 1][i]]));
const press = (button, on) => button.setAttribute("aria-pressed", String(on));
const pressed = (button) => button.getAttribute("aria-pressed") === "true";

// Labels of the timelines that would lie on one another give way, the later to the earlier.
function spread() {
  for (const line of all(".track, .ticks")) {
    const width = line.clientWidth;
    const taken = [];
    for (const text of all(".bar span, .stretch span", line).concat(line.className.startsWith("ticks") ? all("span", line) : [])) {
      text.classList.remove("lost");
      const place = text.getBoundingClientRect(), from = line.getBoundingClientRect().left;
      const left = place.left - from, right = place.right - from;
      const low = text.parentNode.classList.contains("stretch");
      const tight = low && place.width > text.parentNode.clientWidth;
      const clash = taken.some((other) => other.low === low && left < other.right + 5 && right > other.left - 5);
      if (clash || tight || right > width + 24 || left < -24) text.classList.add("lost");
      else taken.push({ left, right, low });
    }
  }
}

// The one card that the keys act on.
let here = null;
const visible = () => all(".card").filter((card) => !card.hidden && !card.parentNode.parentNode.hidden && !card.closest("details:not([open])"));

function goTo(card, focus = true) {
  here?.classList.remove("here");
  all(".bar.here").forEach((bar) => bar.classList.remove("here"));
  here = card;
  if (!card) return;
  card.classList.add("here");
  all(`.bar[data-event="${card.dataset.n}"]`).forEach((bar) => bar.classList.add("here"));
  if (focus && !one("dialog[open]")) {
    card.scrollIntoView({ block: "nearest" });
    one(".shot", card).focus({ preventScroll: true });
  }
}

function step(by) {
  const shown = visible();
  if (!shown.length) return;
  const at = shown.indexOf(here);
  goTo(shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + by, 0), shown.length - 1)]);
  if (view?.open) enlarge(here);
}

// Filters and order.
const wanted = { text: "", noun: "", here: "", source: null, group: "" };

function fits(card) {
  const { text, noun, here: belongs, source, group } = wanted;
  return (!noun || card.dataset.noun === noun)
    && (!belongs || card.dataset.here === belongs)
    && (!group || card.closest(".group").dataset.group === group)
    && (!source || (card.dataset.camera === source.camera && (!card.dataset.uri || card.dataset.uri === source.uri)))
    && text.split(/\s+/).every((word) => card.dataset.words.includes(word));
}

function filter() {
  let count = 0;
  for (const card of cards) {
    card.hidden = !fits(card);
    count += !card.hidden;
    all(`.bar[data-event="${card.dataset.n}"]`).forEach((bar) => { bar.hidden = card.hidden; });
    all(`tr[data-n="${card.dataset.n}"]`).forEach((row) => { row.hidden = card.hidden; });
  }
  for (const group of all(".group")) {
    const left = all(".card", group).filter((card) => !card.hidden).length;
    group.hidden = !left;
    one("h2 span", group).textContent = left;
  }
  const whole = count === cards.length;
  one("#shown").textContent = whole ? "" : `${count} of ${cards.length}`;
  one("#none").hidden = count > 0;
  for (const name of ["noun", "here"]) {
    all(`.chips button[data-${name}]`).forEach((chip) => press(chip, chip.dataset[name] === wanted[name]));
  }
  if (here?.hidden) goTo(null);
  spread();
}

function clear() {
  Object.assign(wanted, { text: "", noun: "", here: "", source: null, group: "" });
  all(".tools input").forEach((input) => { input.value = ""; });
  all("#noun, #source, #group").forEach((list) => { list.value = ""; });
  filter();
}

function sort(by) {
  const number = (card, name) => Number(card.dataset[name]);
  const order = by === "time" ? (a, b) => number(a, "n") - number(b, "n")
    : by === "noun" ? (a, b) => a.dataset.noun.localeCompare(b.dataset.noun) || number(a, "n") - number(b, "n")
    : (a, b) => number(b, by) - number(a, by) || number(a, "n") - number(b, "n");
  for (const place of all(".cards")) place.append(...all(".card", place).sort(order));
}

// Heat: one switch for all, and one at each event.
function heat(on) {
  document.body.classList.toggle("hot", on);
  all("#heat, #view-heat").forEach((button) => press(button, on));
  for (const button of all(".one-heat")) {
    press(button, on);
    button.closest(".card").classList.toggle("hot", on);
  }
}

// Enlarged.
const view = one("#view"), keys = one("#keys");

// What was enlarged last: a closing view gives the focus back to where it was opened from.
let viewed = null;

function enlarge(card) {
  const row = rowOf(card), byKind = card.closest(".group").dataset.group === "kind";
  const guess = !row.sure && !byKind, p = byKind ? row.is_a_p : row.sure ? row.p : null;
  viewed = card;
  goTo(card, false);
  one("#view-title").textContent = `#${card.dataset.n} ${row.headline}` + (row.kind === "object" && p !== null ? ` ${Math.round(100 * p)}%` : "");
  const scene = document.createElement("div");
  scene.className = "scene";
  const picture = one("img.scene", card);
  if (picture) scene.append(Object.assign(new Image(), { src: picture.src, alt: "the whole scene" }));
  const boxes = all(".map .box", card), fit = one(".fit:has(img.crop)", card);
  if (one(".map .heat", card)) scene.append(one(".map .heat", card).cloneNode());
  scene.append(...boxes.map((box) => box.cloneNode()));
  for (const place of [scene, one("#view-near")]) place.style.setProperty("--heat", card.style.getPropertyValue("--heat"));
  one("#view-scene").replaceChildren(scene);
  one("#view-near").replaceChildren(...(fit ? [...all(".was", card), fit].map((part) => part.cloneNode(true)) : []));
  one("#view-near").hidden = !fit;
  one("#view-nouns").replaceChildren(...row.candidates.split("; ").filter(Boolean).map((said) => {
    const at = said.lastIndexOf(" "), item = document.createElement("li");
    item.style.setProperty("--p", said.slice(at + 1));
    for (const text of [said.slice(0, at), `${Math.round(100 * said.slice(at + 1))}%`]) {
      item.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    return item;
  }));
  const facts = { from: card.dataset.from, ...(card.dataset.wall && { clock: card.dataset.wall }), score: `${Number(row.score).toFixed(2)} × threshold`, seen: `in ${row.frames} frames` };
  if (row.kind === "camera") delete facts.score;
  if (row.level !== null) facts.why = `rings up to --bar ${(Math.floor(row.level * 100) / 100).toFixed(2)}, it was ${row.bar.toFixed(2)}; more: nomaly events why`;
  if (card.dataset.here) facts.belongs = card.dataset.here;
  if (row.surprise_bits !== null) facts.surprise = `${row.surprise_bits.toFixed(1)} bits`;
  if (byKind) facts.name = "its kind is sure, these are guesses";
  if (guess) facts.name = "not sure enough: these are guesses";
  if (row.muted) facts["not told"] = row.muted;
  Object.assign(facts, { camera: row.camera, ...(row.video && { video: row.video }), id: row.id });
  one("#view-facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [
    Object.assign(document.createElement("dt"), { textContent: name }),
    Object.assign(document.createElement("dd"), { textContent: value }),
  ]));
  const links = all(".does a", card).map((link) => link.cloneNode(true));
  one("#view-links").replaceChildren(...links.filter((link) => link.classList.contains("full")));
  one("#view-play").disabled = !one(".play", card);
  const shown = visible();
  one("#view-before").disabled = shown[0] === card;
  one("#view-next").disabled = shown.at(-1) === card;
  if (!view.open) view.showModal();
}

function play() {
  const link = one(".play", here);
  if (!link) return;
  const video = document.createElement("video");
  Object.assign(video, { src: link.getAttribute("href"), controls: true, muted: true, autoplay: true });
  video.setAttribute("aria-label", "annotated video at the event");
  video.addEventListener("error", () => {
    video.replaceWith(Object.assign(document.createElement("p"), { className: "note", textContent: "The annotated video does not lie beside this page." }));
  });
  one("#view-scene").replaceChildren(video);
  video.focus();
}

// Exports hold all events of the report, as `nomaly export` writes them.
function save(name, kind, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function cell(value) {
  if (value === null) return "";
  const text = typeof value === "string" && "=+-@\t".includes(value[0] || " ") ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv() {
  return [data.columns, ...data.rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function coco() {
  const tenth = (value) => Math.round(10 * value) / 10;
  const objects = data.rows.map((row) => Object.fromEntries(data.columns.map((name, i) => [name, row[i]])))
    .filter((row) => row.kind === "object" && row.change !== "missing" && row.snapshot);
  const names = [...new Set(objects.map((row) => row.category))].sort();
  const images = [], annotations = [];
  objects.forEach((row, index) => {
    const id = index + 1, scale = Math.min(1, data.snapshot_side / Math.max(row.frame_width, row.frame_height));
    const [width, height] = [row.frame_width, row.frame_height].map((side) => Math.max(1, Math.round(side * scale)));
    images.push({ id, file_name: row.snapshot, width, height, date_captured: row.start });
    const parts = row.parts ? row.parts.split("; ").map((part) => part.split(" ").map(Number)) : [[row.x1, row.y1, row.x2, row.y2, row.p]];
    for (const part of parts) {
      const [left, top, right, bottom] = part.slice(0, 4).map((side) => tenth(side * scale));
      annotations.push({
        id: annotations.length + 1, image_id: id, category_id: 1 + names.indexOf(row.category),
        bbox: [left, top, tenth(right - left), tenth(bottom - top)],
        area: tenth((right - left) * (bottom - top)), iscrowd: 0, score: part[4],
        attributes: { id: row.id, camera: row.camera, change: row.change, sure: row.sure, candidates: row.candidates, start_s: row.start_s, muted: row.muted },
      });
    }
  });
  return {
    info: { description: data.description }, images, annotations,
    categories: names.map((name, index) => ({ id: index + 1, name })),
  };
}

if (cards.length) {
  one("#search").addEventListener("input", (event) => { wanted.text = event.target.value.trim().toLowerCase(); filter(); });
  all(".chips button[data-here]").forEach((chip) => chip.addEventListener("click", () => {
    wanted.here = pressed(chip) ? "" : chip.dataset.here;
    filter();
  }));
  all(".chips button[data-noun]").forEach((chip) => chip.addEventListener("click", () => {
    wanted.noun = pressed(chip) ? "" : chip.dataset.noun;
    if (one("#noun")) one("#noun").value = "";
    filter();
  }));
  one("#noun")?.addEventListener("change", (event) => { wanted.noun = event.target.value; filter(); });
  one("#group")?.addEventListener("change", (event) => { wanted.group = event.target.value; filter(); });
  one("#source")?.addEventListener("change", (event) => {
    const chosen = event.target.selectedOptions[0];
    wanted.source = chosen.value ? { ...chosen.dataset } : null;
    filter();
  });
  one("#sort").addEventListener("change", (event) => sort(event.target.value));
  one("#clear").addEventListener("click", clear);
  one("#heat").addEventListener("click", () => heat(!document.body.classList.contains("hot")));
  one("#csv").addEventListener("click", () => save("events.csv", "text/csv", csv()));
  one("#coco").addEventListener("click", () => save("events.coco.json", "application/json", JSON.stringify(coco())));
  one("#help").addEventListener("click", () => keys.showModal());
  one("#keys-close").addEventListener("click", () => keys.close());
  one("#view-close").addEventListener("click", () => view.close());
  one("#view-before").addEventListener("click", () => step(-1));
  one("#view-next").addEventListener("click", () => step(1));
  one("#view-heat").addEventListener("click", () => heat(!document.body.classList.contains("hot")));
  one("#view-play").addEventListener("click", play);
  view.addEventListener("close", () => { one("#view-scene").replaceChildren(); goTo(viewed); });
  for (const card of cards) {
    one(".shot", card).addEventListener("click", () => enlarge(card));
    one(".shot", card).addEventListener("focus", () => { if (here !== card) goTo(card, false); });
    const button = one(".one-heat", card);
    button?.addEventListener("click", () => {
      press(button, card.classList.toggle("hot"));
    });
  }
  for (const track of all(".track")) {
    track.addEventListener("click", (event) => {
      event.preventDefault();
      const bars = all(".bar", track).filter((bar) => !bar.hidden);
      const distance = (bar) => {
        const { left, right } = bar.getBoundingClientRect();
        return Math.max(left - event.clientX, event.clientX - right, 0);
      };
      const near = bars.sort((a, b) => distance(a) - distance(b))[0];
      if (near && distance(near) <= 44) goTo(one(`#event-${near.dataset.event}`));
    });
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !cards.length) return;
  const typing = event.target.matches("input, select, textarea, video");
  const arrows = !typing && (view.open || event.target.closest(".card"));
  const key = event.key;
  if (key === "Escape" && !one("dialog[open]") && (typing || !visible().includes(here))) { clear(); event.target.blur?.(); return; }
  if (typing || keys.open) return;
  if (key === "j" || (arrows && (key === "ArrowRight" || key === "ArrowDown"))) step(1);
  else if (key === "k" || (arrows && (key === "ArrowLeft" || key === "ArrowUp"))) step(-1);
  else if (key === "h") heat(!document.body.classList.contains("hot"));
  else if (key === "p" && view.open) play();
  else if (key === "/") { if (view.open) view.close(); one("#search").focus(); }
  else if (key === "?") keys.showModal();
  else return;
  event.preventDefault();
});

addEventListener("resize", spread);
all("details").forEach((fold) => fold.addEventListener("toggle", spread));
spread();
