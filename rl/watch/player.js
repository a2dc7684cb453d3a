// Plays the recording in `data`, which the page defines; rl.watch.animation.player_data writes it.

const $ = (id) => document.getElementById(id);
const count = data.score.length;
const perSheet = data.columns * data.rows;

// --- the screen: frames are tiles of a few large images
const canvas = $("screen"), context = canvas.getContext("2d");
const sheets = data.sheets.map((source) => {
  const image = new Image();
  image.onload = () => draw();
  image.src = source;
  return image;
});
const isSmall = data.scale > 1;
const enlarged = isSmall ? Math.max(1, Math.floor(384 / Math.max(data.width, data.height))) : 1;
canvas.width = data.width;
canvas.height = data.height;
canvas.style.width = data.width * enlarged + "px";
if (isSmall) canvas.className = "pixels";

// --- the preferences: a row with a bar for each action
const probabilities = data.measure === "probability";
let widest = 1e-9; // the largest spread of values in any frame: a full bar
for (const values of data.values) widest = Math.max(widest, Math.max(...values) - Math.min(...values));
$("measure").textContent = probabilities
  ? "Probability of each action"
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

let frame = 0, playing = true;
let last = null; // time of the last animation frame
let owed = 0; // frames of the recording that are due, with their fraction

function draw() {
  const place = frame % perSheet, image = sheets[Math.floor(frame / perSheet)];
  if (image.complete) {
    const x = (place % data.columns) * data.width, y = Math.floor(place / data.columns) * data.height;
    context.drawImage(image, x, y, data.width, data.height, 0, 0, data.width, data.height);
  }
  $("score").textContent = data.score[frame];
  $("game").textContent = data.game[frame] + 1;
  $("step").textContent = data.step[frame];
  $("slider").value = frame;
  const values = data.values[frame];
  const least = probabilities ? 0 : Math.min(...values), reach = probabilities ? 1 : widest;
  rows.forEach((row, action) => {
    row.classList.toggle("chosen", action === data.chosen[frame]);
    row.querySelector(".fill").style.width = (100 * (values[action] - least)) / reach + "%";
    row.lastChild.textContent = values[action].toFixed(3);
  });
}

function goTo(to) {
  frame = (to + count) % count;
  draw();
}

function setPlaying(on) {
  playing = on;
  last = null;
  owed = 0;
  $("play").textContent = on ? "Pause" : "Play";
}

function pauseAt(to) {
  setPlaying(false);
  goTo(to);
}

function tick(now) {
  if (playing) {
    if (last !== null) owed += (Math.min(now - last, 250) / 1000) * data.fps * Number($("speed").value);
    last = now;
    const steps = Math.floor(owed);
    if (steps > 0) {
      owed -= steps;
      goTo(frame + steps);
    }
  }
  requestAnimationFrame(tick);
}

$("slider").max = count - 1;
$("slider").oninput = () => pauseAt(Number($("slider").value));
$("play").onclick = () => setPlaying(!playing);
$("back").onclick = () => pauseAt(frame - 1);
$("next").onclick = () => pauseAt(frame + 1);
const keys = {
  " ": () => setPlaying(!playing),
  ArrowLeft: () => pauseAt(frame - 1),
  ArrowRight: () => pauseAt(frame + 1),
  Home: () => pauseAt(0),
  End: () => pauseAt(count - 1),
};
document.addEventListener("keydown", (event) => {
  const tag = event.target.tagName;
  const isSpace = event.key === " ";
  const isElements = tag === "SELECT" || (tag === "INPUT" && !isSpace) || (tag === "BUTTON" && isSpace);
  if (isElements || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
draw();
requestAnimationFrame(tick);
