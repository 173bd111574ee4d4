// Keeps the page up to date: the server says that something changed, htmx fetches the page again and morphs what is new
// into it. Without this script everything can be read and done; it only stands still.
"use strict";
(() => {
  const live = () => document.getElementById("live");
  const connection = document.getElementById("connection");
  let source = null;
  let missed = false;

  const refresh = () => document.dispatchEvent(new CustomEvent("pgq:change"));

  const say = (text, state) => {
    connection.hidden = false;
    connection.className = `connection ${state}`;
    // Said once, when it changes: a screen reader reads it then.
    if (connection.textContent !== text) connection.textContent = text;
  };

  const close = () => {
    source?.close();
    source = null;
  };

  // A browser has few connections for one host: a page that nobody sees gives its own back.
  const open = () => {
    if (source || document.hidden || !live()) return;
    source = new EventSource(document.body.dataset.events);
    source.addEventListener("hello", () => {
      say("live", "up");
      if (missed) refresh();
      missed = false;
    });
    source.addEventListener("change", refresh);
    source.addEventListener("error", () => {
      say("reconnecting", "down");
      missed = true;
      if (source?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, 10000);
      }
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      missed = true;
      close();
    } else {
      open();
    }
  });

  // Times, in the reader's own zone and words that age.
  const units = [["d", 86400, "h", 3600], ["h", 3600, "min", 60]];
  const span = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    const [unit, size, smaller, part] = seconds < 86400 ? units[1] : units[0];
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)} ${unit} ${unit === "h" ? String(rest).padStart(2, "0") : rest} ${smaller}`;
  };
  let skew = 0;
  const measure = () => {
    const now = Date.parse(live()?.dataset.now);
    if (!Number.isNaN(now)) skew = now - Date.now();
  };
  const age = () => {
    for (const time of document.querySelectorAll("time[data-ago], time[data-since]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      const seconds = Math.trunc((Date.now() + skew - at) / 1000);
      const length = span(Math.abs(seconds));
      const ago = seconds === 0 ? "now" : seconds > 0 ? `${length} ago` : `in ${length}`;
      const text = "since" in time.dataset ? length : ago;
      if (time.textContent !== text) time.textContent = text;
    }
  };
  const localise = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const text = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      time.title = text;
      if ("at" in time.dataset) time.textContent = text;
    }
    age();
  };

  // One box for all boxes of the page.
  const all = () => {
    const label = document.getElementById("all");
    if (label) label.hidden = false;
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "check-all") return;
    for (const box of document.querySelectorAll("#failed input[name=job]")) box.checked = event.target.checked;
  });

  // What was said is said once: reloading the page must not say it again.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    address.searchParams.delete("n");
    history.replaceState(null, "", address);
  }

  const settle = () => {
    measure();
    localise();
    all();
  };
  document.addEventListener("htmx:after:swap", settle);
  settle();
  setInterval(age, 1000);
  open();
})();
