// What a page must not have, looked for inside the browser: returns a list of words.
export function faults() {
  const faults = [];
  const name = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""} "${element.textContent.trim().slice(0, 30)}"`;
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen, [aria-hidden=true]");

  if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the window: ${document.documentElement.scrollWidth}`);
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  for (const landmark of ["header", "nav[aria-label]", "main"]) {
    if (!document.querySelector(landmark)) faults.push(`no ${landmark}`);
  }
  if (!document.title || !document.documentElement.lang) faults.push("no title or language");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) faults.push(`id twice: ${id}`);
  for (const field of document.querySelectorAll("input:not([type=hidden]), select")) {
    if (!field.labels.length && !field.ariaLabel) faults.push(`no label: ${name(field)}`);
  }
  for (const button of document.querySelectorAll("button, a")) {
    if (!(button.ariaLabel || button.textContent).trim()) faults.push(`no name: ${name(button)}`);
  }
  for (const cell of document.querySelectorAll("th")) {
    if (!cell.scope) faults.push(`no scope: ${name(cell)}`);
  }

  // Contrast, as WCAG 2 reckons it.
  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const checked = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || checked.has(element) || !seen(element) || element.closest("svg, script")) continue;
    checked.add(element);
    const [text, behind] = [rgba(getComputedStyle(element).color), ground(element)].map(luminance);
    const contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${name(element)}`);
  }
  return faults;
}
