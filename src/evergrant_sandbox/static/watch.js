// The table of calls follows by itself, unless somebody pauses it. Without this script there is a link to refresh it.
(() => {
  "use strict";
  const rows = document.querySelector("[data-follow]");
  if (!rows) return;
  const words = document.getElementById("live-words");
  const button = document.querySelector("[data-pause]");
  const empty = document.querySelector("[data-empty]");
  let paused = false;
  let seen = null;

  const say = (text) => {
    if (words.textContent !== text) words.textContent = text;
  };
  const show = (html) => {
    const known = new Set([...rows.querySelectorAll("a[id]")].map((link) => link.id));
    const focused = rows.contains(document.activeElement) ? document.activeElement.id : "";
    rows.innerHTML = html;
    for (const row of rows.rows) {
      const link = row.querySelector("a[id]");
      if (link && !known.has(link.id)) row.classList.add("cr-new");
    }
    if (focused) document.getElementById(focused)?.focus();
    if (empty) empty.hidden = rows.rows.length > 0;
  };
  const look = async () => {
    if (!paused && !document.hidden) {
      try {
        const answer = await fetch(rows.dataset.follow, { cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const html = await answer.text();
        if (!paused && html !== seen) {
          if (seen !== null || html.trim() !== rows.innerHTML.trim()) show(html);
          seen = html;
        }
        if (!paused) say("Following.");
      } catch {
        say("The sandbox does not answer. Trying again.");
      }
    }
    setTimeout(look, 1000);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.querySelector("span").textContent = paused ? "Go on" : "Pause";
    say(paused ? "Paused." : "Following.");
  });
  look();
})();
