// Shows the API's own description (/api/v1/openapi.json): operations by noun, parameters, bodies, answers. Text only ever goes in
// as text, never as HTML. No other host is asked for anything.

const METHODS = ["get", "post", "put", "patch", "delete"];
/** How deep a shape is unfolded before it waits for a click. */
const OPEN_DEPTH = 1;
/** How deep a shape is followed at all: shapes that contain themselves end somewhere. */
const DEPTH_MAX = 8;

const WHO = {
  public: "任何人 Anybody",
  signed_in: "任何已登录者 Whoever is signed in",
  own: "仅限本人 One's own things only",
  keep_accounts: "辖区管理员 Administrators, over their area",
};

const WHERE = { path: "路径 path", query: "查询 query", header: "请求头 header", cookie: "Cookie" };

/** Makes an element: `h("td", { class: "need" }, "text", child)`. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** A text in which `this` is code. */
function prose(text) {
  return (text ?? "").split("`").map((part, n) => (n % 2 ? h("code", {}, part) : part));
}

/** A text that is Chinese first and English after, as two elements; one that is not, as it is. */
function both(text) {
  const parts = /^([^A-Za-z"]*[^A-Za-z"\s])\s+(["A-Za-z][\s\S]*)$/u.exec(text ?? "");
  return parts ? [h("span", { class: "zh" }, prose(parts[1])), " ", h("span", { lang: "en" }, prose(parts[2]))] : prose(text);
}

const api = await (await fetch("/api/v1/openapi.json")).json();

/** The shape that a reference stands for, and its name. */
function resolve(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { name, schema: api.components.schemas[name] ?? {} } : { name: null, schema: schema ?? {} };
}

/** A shape in a few letters: `string (date-time)`, `Finding[]`, `"flood" | "fire"`. */
function brief(schema) {
  const { name, schema: shape } = resolve(schema);
  if (name) return name;
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices) return choices.map(brief).join(" | ");
  if (shape.allOf) return shape.allOf.map(brief).join(" & ");
  const type = [shape.type].flat().filter(Boolean).join(" | ") || "any";
  if (shape.items) return `${brief(shape.items)}[]`;
  return shape.format ? `${type} (${shape.format})` : type;
}

/** Whether there is more to a shape than `brief` says. */
function hasInside(schema, depth) {
  const { name, schema: shape } = resolve(schema);
  if (depth > DEPTH_MAX) return false;
  if (shape.items && !shape.properties) return hasInside(shape.items, depth + 1);
  const choices = shape.oneOf ?? shape.anyOf ?? shape.allOf;
  return Boolean(shape.properties || (name && shape.enum) || choices?.some((one) => hasInside(one, depth + 1)));
}

/** What is inside a shape, as a tree. */
function inside(schema, depth = 0) {
  const { schema: shape } = resolve(schema);
  if (shape.items && !shape.properties) return inside(shape.items, depth);
  const rows = [];
  if (shape.enum) rows.push(h("li", {}, h("span", { class: "type" }, brief(shape))));
  for (const part of shape.allOf ?? []) rows.push(...inside(part, depth));
  for (const choice of shape.oneOf ?? shape.anyOf ?? []) {
    if (resolve(choice).schema.type === "null") continue;
    rows.push(node("或 or", choice, false, noteOf(choice), depth));
  }
  for (const [name, property] of Object.entries(shape.properties ?? {})) {
    rows.push(node(name, property, (shape.required ?? []).includes(name), noteOf(property), depth));
  }
  return rows;
}

/** What is said of a field: of itself, of its shape, or of the shape that it may have beside null. */
function noteOf(schema) {
  const { schema: shape } = resolve(schema);
  const choice = (shape.oneOf ?? []).find((one) => resolve(one).schema.type !== "null");
  return schema.description ?? shape.description ?? (choice && noteOf(choice));
}

function node(name, schema, required, note, depth) {
  const head = [
    h("span", { class: "name" }, name),
    required ? h("span", { class: "need", title: "必填 required" }, "*") : null,
    " ",
    h("span", { class: "type" }, brief(schema)),
    note ? h("span", { class: "note" }, " — ", prose(note)) : null,
  ];
  if (!hasInside(schema, depth)) return h("li", {}, head);
  const details = h("details", {}, h("summary", {}, head));
  // Filled when it is opened: some shapes are large, and most are never looked into.
  const fill = () => details.children.length > 1 || details.append(h("ul", { class: "tree" }, inside(schema, depth + 1)));
  details.addEventListener("toggle", fill);
  if (depth < OPEN_DEPTH) {
    fill();
    details.open = true;
  }
  return h("li", {}, details);
}

function shapeOf(content) {
  return Object.entries(content ?? {}).map(([kind, { schema }]) =>
    h("div", {}, h("code", {}, kind), " ", h("span", { class: "type" }, schema ? brief(schema) : ""),
      schema && hasInside(schema, 0) ? h("ul", { class: "tree" }, inside(schema)) : null));
}

function parameters(operation) {
  const rows = (operation.parameters ?? []).map((parameter) => h("tr", {},
    h("td", {}, parameter.name, parameter.required ? h("span", { class: "need", title: "必填 required" }, "*") : null),
    h("td", {}, both(WHERE[parameter.in] ?? parameter.in)),
    h("td", {}, h("span", { class: "type" }, brief(parameter.schema)),
      parameter.description ? [" ", both(parameter.description)] : "")));
  return rows.length ? [h("h3", {}, "参数 ", h("span", { lang: "en" }, "Parameters")), h("table", {}, h("tbody", {}, rows))] : [];
}

function answers(operation) {
  const entries = Object.entries(operation.responses ?? {});
  const rows = entries.map(([status, response]) => h("tr", {},
    h("td", { class: status < "300" ? "get" : "delete" }, status),
    h("td", {}, both(response.description), status < "300" ? shapeOf(response.content) : "")));
  const problem = api.components.schemas.Problem;
  const note = problem && h("p", { class: "note" }, "所有错误均为 RFC 9457 格式，含稳定的 ", h("code", {}, "code"), "。 ",
    h("span", { lang: "en" }, "Every error is an RFC 9457 problem with a stable code."));
  return [h("h3", {}, "应答 ", h("span", { lang: "en" }, "Answers")), note, h("table", {}, h("tbody", {}, rows))];
}

function pathOf(path) {
  return path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? h("i", {}, part) : part));
}

function show({ method, path, operation }) {
  const action = operation["x-muster-action"];
  const details = h("details", { class: "operation", id: operation.operationId },
    h("summary", {},
      h("span", { class: `method ${method}` }, method),
      h("span", { class: "say" }, both(operation.summary)),
      h("span", { class: "path" }, pathOf(path))));
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const body = operation.requestBody;
    details.append(h("div", { class: "body" },
      h("p", { class: "who" }, "权限 ", h("span", { lang: "en" }, "Who may: "), both(WHO[action]), " ", h("code", {}, action ?? "")),
      (operation.description ?? "").split("\n\n").filter(Boolean).map((text) => h("p", {}, prose(text))),
      parameters(operation),
      body ? [h("h3", {}, "请求体 ", h("span", { lang: "en" }, "Body")), shapeOf(body.content)] : [],
      answers(operation)));
  });
  return details;
}

function operationsByTag() {
  const tags = new Map((api.tags ?? []).map((tag) => [tag.name, { title: tag.description ?? tag.name, operations: [] }]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      const tag = item[method].tags?.[0] ?? "其他 Other";
      if (!tags.has(tag)) tags.set(tag, { title: tag, operations: [] });
      tags.get(tag).operations.push({ method, path, operation: item[method] });
    }
  }
  return [...tags].filter(([, { operations }]) => operations.length);
}

function matches({ method, path, operation }, words) {
  const text = [method, path, operation.summary, operation.description, operation["x-muster-action"]].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

function draw() {
  const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const sections = [], links = [];
  let count = 0;
  for (const [tag, { title, operations }] of operationsByTag()) {
    const found = operations.filter((one) => matches(one, words));
    if (!found.length) continue;
    count += found.length;
    links.push(h("a", { href: `#tag-${tag}` }, h("span", {}, both(title)), h("b", {}, String(found.length))));
    sections.push(h("section", { id: `tag-${tag}` }, h("h2", {}, both(title)), found.map(show)));
  }
  const nothing = h("p", { class: "wait" }, "没有找到。 ", h("span", { lang: "en" }, "Nothing found."));
  document.getElementById("main").replaceChildren(...(sections.length ? sections : [nothing]));
  document.getElementById("nav").replaceChildren(...links);
  document.getElementById("count").replaceChildren(...both(`${count} 个接口 operations`));
}

/** Opens the operation that the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.tagName === "DETAILS") named.open = true;
  named?.scrollIntoView({ behavior: "instant" });
}

document.getElementById("find").addEventListener("input", draw);
addEventListener("hashchange", openNamed);
draw();
openNamed();
