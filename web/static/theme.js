// The colours that somebody chose, before anything is painted. Without a choice the system's count.
"use strict";
(() => {
  const themes = ["auto", "light", "dark"];
  const stored = () => {
    try {
      return localStorage.getItem("pgq-theme");
    } catch {
      return null;
    }
  };
  const current = () => (themes.includes(stored()) ? stored() : "auto");
  const apply = () => {
    document.documentElement.dataset.theme = current();
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => {
      button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[current()];
      button.setAttribute("aria-label", `Colours: ${current()}. Change`);
    };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      const next = themes[(themes.indexOf(current()) + 1) % themes.length];
      try {
        localStorage.setItem("pgq-theme", next);
      } catch {
        // Then it holds for this page alone.
      }
      document.documentElement.dataset.theme = next;
      name();
    });
  });
})();
