import { html, raw } from 'hono/html'

/** A piece of a page, its values escaped. */
export type Markup = ReturnType<typeof html>

const STYLE = `body{font:11pt/1.45 system-ui,sans-serif;color:#1c2320;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:1.8rem 0 .4rem;border-bottom:1px solid #b9c4be;padding-bottom:.2rem}
h3{font-size:1rem;margin:1rem 0 .3rem}p{margin:.3rem 0}small,.dim,.foot{color:#5c6a63}.foot{font-size:.8rem;margin-top:2rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.4rem 0}td,th{overflow-wrap:anywhere;text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e1e7e3}
th{font-weight:600;width:13rem}ul{margin:.2rem 0;padding-left:1.1rem}.warn{background:#fff4dc;border-left:4px solid #d99a1c;padding:.4rem .8rem}
@media screen and (max-width:36rem){tr,td,th[scope=row]{display:block;width:auto}th[scope=row]{border:0;padding-bottom:0}}
@media print{body{margin:0;max-width:none;font-size:9.5pt;line-height:1.35}h2{margin-top:1.2rem}h2,h3{break-after:avoid}tr:not(:has(li)),li{break-inside:avoid}}`

/** A page to read and to print: no script, nothing from elsewhere. */
export async function printedPage({
  title,
  subtitle,
  language = 'en',
  body,
}: {
  title: string
  subtitle: string
  language?: string
  body: readonly Markup[]
}): Promise<string> {
  const page = await html`<!doctype html>
    <html lang="${language}">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <style>
        ${raw(STYLE)}
      </style>
      <main>
        <h1>${title}</h1>
        <p class="dim">${subtitle}</p>
        ${body}
      </main>
    </html> `
  return page.toString()
}

/** Rows of a name and what is to be said of it; a row without anything to say is left out. */
export function factTable(
  rows: readonly (readonly [string, string | readonly string[] | undefined])[],
): Markup {
  const shown = rows.filter(([, value]) => value !== undefined && value.length > 0)
  return html`<table>
    ${shown.map(
      ([name, value]) =>
        html`<tr>
          <th scope="row">${name}</th>
          <td>${valueMarkup(value ?? '')}</td>
        </tr>`,
    )}
  </table>`
}

function valueMarkup(value: string | readonly string[]): Markup | string {
  if (typeof value === 'string') return value
  const [only, ...others] = value
  return only !== undefined && others.length === 0 ? only : bullets(value)
}

/** A list with a dot before each. */
export function bullets(lines: readonly string[]): Markup {
  return html`<ul>
    ${lines.map((line) => html`<li>${line}</li>`)}
  </ul>`
}
