// Makes the C file with everything browsers load (adapters/web/asset.h): styles compiled, scripts,
// pictures and texts as they are, each also compressed, under a path with a hash of what is in it.
//
//     node build.mjs FOLDER PACKAGES OUTPUT.c
//
// FOLDER is the one of this file: each .js, .svg, .txt, .wav and .scss in it is taken.
// PACKAGES has node_modules. A script that imports "govuk-frontend", or another script of the
// folder as "./NAME.js", gets the path of that instead.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const [folder, packages, output] = process.argv.slice(2).map((path) => resolve(path));
const modules = join(packages, "node_modules");
const sass = createRequire(join(packages, "package.json"))("sass");

const types = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wav": "audio/wav",
};
const assets = new Map();

function add(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const extension = extname(name);
  const path = `/assets/${name.slice(0, -extension.length)}-${hash}${extension}`;
  const gzip = gzipSync(bytes, { level: 9 });
  const smaller = gzip.length < bytes.length ? gzip : Buffer.alloc(0);
  assets.set(name, { name, path, type: types[extension], bytes, gzip: smaller });
  return path;
}

function addScript(name, busy = []) {
  if (assets.has(name)) return assets.get(name).path;
  if (busy.includes(name)) throw new Error(`${name} imports itself`);
  const text = readFileSync(join(folder, name), "utf8").replace(
    /(\bfrom\s+|\bimport\s+)"(?:\.\/([a-z_-]+\.js)|(govuk-frontend))"/g,
    (all, before, own) =>
      `${before}"${own ? addScript(own, [...busy, name]) : assets.get("govuk-frontend.js").path}"`,
  );
  return add(name, Buffer.from(text));
}

for (const name of readdirSync(folder).sort()) {
  if (extname(name) !== ".scss") continue;
  const styles = sass.compile(join(folder, name), {
    style: "compressed",
    loadPaths: [modules],
    quietDeps: true,
  });
  add(name.replace(/scss$/, "css"), Buffer.from(styles.css));
}
const library = join(modules, "govuk-frontend/dist/govuk/govuk-frontend.min.js");
const withoutMap = readFileSync(library, "utf8").replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n");
add("govuk-frontend.js", Buffer.from(withoutMap));
for (const name of readdirSync(folder).sort()) {
  if (extname(name) === ".js") addScript(name);
  else if (extname(name) !== ".css" && types[extname(name)]) add(name, readFileSync(join(folder, name)));
}

const array = (bytes) =>
  bytes.length === 0 ? "0" : Array.from(bytes).join(",").replace(/(.{1,96},)/g, "$1\n");
const text = [
  "/* Made by adapters/web/assets/build.mjs. */",
  '#include "web/asset.h"',
];
const rows = [];
let n = 0;
for (const { name, path, type, bytes, gzip } of assets.values()) {
  text.push(`static const unsigned char plain_${n}[] = {${array(bytes)}};`);
  text.push(`static const unsigned char gzip_${n}[] = {${array(gzip)}};`);
  rows.push(
    `\t{ "${name}", "${path}", "${type}", plain_${n}, gzip_${n}, ${bytes.length}, ${gzip.length} },`,
  );
  n++;
}
text.push("const struct web_asset web_assets[] = {", ...rows, "};");
text.push(`const size_t web_assets_n = ${n};`, "");
writeFileSync(output, text.join("\n"));
