/** What the page needs of an OpenAPI 3.1 document. */
interface DocumentShape {
  readonly info: {
    readonly title: string
    readonly version: string
    readonly description?: string | undefined
  }
  readonly paths?: Readonly<Record<string, object | undefined>> | undefined
}

interface OperationShape {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly {
    readonly name?: string
    readonly in?: string
    readonly required?: boolean
    readonly description?: string
  }[]
}

/** The page at `/docs`: every operation in one HTML document without a script or anything from elsewhere. */
export function docsPage(document: DocumentShape): string {
  const byTag = new Map<string, string[]>()
  for (const { method, path, operation } of operationsOf(document)) {
    const tag = operation.tags?.[0] ?? 'other'
    byTag.set(tag, [...(byTag.get(tag) ?? []), operationHtml(method, path, operation)])
  }
  const sections = [...byTag].map(
    ([tag, operations]) => `<h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>${operations.join('')}`,
  )
  const { title, version, description } = document.info
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>
<h1>${escapeHtml(title)} <small>${escapeHtml(version)}</small></h1><p>${escapeHtml(description ?? '')}</p>
<p>The machine's form of this page: <a href="/openapi.json">/openapi.json</a>.</p>
<nav>${[...byTag.keys()].map((tag) => `<a href="#${escapeHtml(tag)}">${escapeHtml(tag)}</a>`).join(' ')}</nav>
${sections.join('\n')}
</html>`
}

/** The policy that belongs to the page: nothing is loaded, nothing runs. */
export const DOCS_CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1c2a1e;background:#fcfdfb}
code{font:14px ui-monospace,monospace}h2{margin-top:2.5rem;text-transform:capitalize}article{border-top:1px solid #d5dfd2;padding:.8rem 0}
b.m{display:inline-block;min-width:4.2rem;color:#2f6b3a;text-transform:uppercase}small{color:#667}nav a{margin-right:1rem}
@media(prefers-color-scheme:dark){body{background:#141a15;color:#dfe7dd}article{border-color:#334036}b.m{color:#8fce9b}a{color:#a8d4ff}}`

function operationsOf({
  paths = {},
}: DocumentShape): { method: string; path: string; operation: OperationShape }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods ?? {}).map(([method, operation]) => ({
      method,
      path,
      operation: isOperation(operation) ? operation : {},
    })),
  )
}

function isOperation(value: unknown): value is OperationShape {
  return typeof value === 'object' && value !== null
}

function operationHtml(
  method: string,
  path: string,
  { summary, description, parameters = [] }: OperationShape,
): string {
  const rows = parameters.map(
    ({ name = '', in: place = '', required, description: about = '' }) =>
      `<li><code>${escapeHtml(name)}</code> <small>${escapeHtml(place)}${required ? ', required' : ''}</small> ${escapeHtml(about)}</li>`,
  )
  return `<article><b class="m">${escapeHtml(method)}</b> <code>${escapeHtml(path)}</code><p>${escapeHtml(summary ?? '')}${
    description === undefined ? '' : `<br><small>${escapeHtml(description)}</small>`
  }</p>${rows.length > 0 ? `<ul>${rows.join('')}</ul>` : ''}</article>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
