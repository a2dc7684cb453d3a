const $ = (id) => document.getElementById(id);
const count = data.score.length, perSheet = data.columns * data.rows;
const canvas = $("screen"), context = canvas.getContext("2d");
const sheets = data.sheets.map((source) => { const image = new Image(); image.onload = () => draw(); image.src = source; return image; });
canvas.width = data.width;
canvas.height = data.height;
const small = data.scale > 1;
canvas.style.width = data.width * (small ? Math.max(1, Math.floor(384 / Math.max(data.width, data.height))) : 1) + "px";
if (small) canvas.className = "pixels";
$("slider").max = count - 1;

const probabilities = data.measure === "probability";
let widest = 1e-9;
for (const values of data.values) widest = Math.max(widest, Math.max(...values) - Math.min(...values));
$("measure").textContent = probabilities ? "Probability of each action"
  : data.measure + " of each action; bar: how far above the worst one";
const rows = data.actions.map((name) => {
  const row = document.createElement("div");
  row.className = "row";
  row.innerHTML = '<span class="name"></span><div class="track"><div class="fill"></div></div><span></span>';
  row.firstChild.textContent = name;
  row.firstChild.title = name;
  $("rows").append(row);
  return row;
});

let frame = 0, playing = true, last = null, owed = 0;
function draw() {
  const place = frame % perSheet, image = sheets[Math.floor(frame / perSheet)];
  if (image.complete) {
    const x = place % data.columns * data.width, y = Math.floor(place / data.columns) * data.height;
    context.drawImage(image, x, y, data.width, data.height, 0, 0, data.width, data.height);
  }
  $("score").textContent = data.score[frame];
  $("game").textContent = data.game[frame] + 1;
  $("step").textContent = data.step[frame];
  $("slider").value = frame;
  const values = data.values[frame], least = probabilities ? 0 : Math.min(...values), reach = probabilities ? 1 : widest;
  rows.forEach((row, action) => {
    row.classList.toggle("chosen", action === data.chosen[frame]);
    row.querySelector(".fill").style.width = 100 * (values[action] - least) / reach + "%";
    row.lastChild.textContent = values[action].toFixed(3);
  });
}
function go(to) { frame = (to + count) % count; draw(); }
function set(on) { playing = on; last = null; owed = 0; $("play").textContent = on ? "Pause" : "Play"; }
function tick(now) {
  if (playing) {
    if (last !== null) owed += Math.min(now - last, 250) / 1000 * data.fps * Number($("speed").value);
    last = now;
    const steps = Math.floor(owed);
    if (steps > 0) { owed -= steps; go(frame + steps); }
  }
  requestAnimationFrame(tick);
}
function step(by) { set(false); go(frame + by); }
$("play").onclick = () => set(!playing);
$("back").onclick = () => step(-1);
$("next").onclick = () => step(1);
$("slider").oninput = () => { set(false); go(Number($("slider").value)); };
document.addEventListener("keydown", (event) => {
  const tag = event.target.tagName;
  if (tag === "SELECT" || tag === "INPUT" && event.key !== " " || tag === "BUTTON" && event.key === " ") return;
  const does = { " ": () => set(!playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
                 Home: () => { set(false); go(0); }, End: () => { set(false); go(count - 1); } }[event.key];
  if (does) { event.preventDefault(); does(); }
});
draw();
requestAnimationFrame(tick);
