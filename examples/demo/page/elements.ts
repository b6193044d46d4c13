/** The element of the page that has this id. */
export function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** The input of the page that has this id. */
export function findInput(id: string): HTMLInputElement {
  return find(id) as HTMLInputElement;
}

/** An element with text in it. */
export function createElement(tag: string, text: string, className = ""): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}
