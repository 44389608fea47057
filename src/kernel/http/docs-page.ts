import { escapeHtml } from '../escape-html.ts'
import { typeWords } from './type-words.ts'
import type { Schema, TypeStyle } from './type-words.ts'

type Content = Readonly<Record<string, { readonly schema?: Schema } | undefined>>

/** What the page needs of an OpenAPI 3.1 document. */
interface DocumentShape {
  readonly info: {
    readonly title: string
    readonly version: string
    readonly description?: string | undefined
  }
  readonly paths?: Readonly<Record<string, object | undefined>> | undefined
  readonly components?: { readonly schemas?: object | undefined } | undefined
}

interface OperationShape {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  /** Empty where no token is needed. */
  readonly security?: readonly unknown[]
  readonly parameters?: readonly {
    readonly name?: string
    readonly in?: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly content?: Content } | undefined>>
}

/** The page at `/docs`: every operation and message in one HTML document without a script or anything from elsewhere. */
export function docsPage(document: DocumentShape): string {
  const byTag = new Map<string, string[]>()
  for (const { method, path, operation } of operationsOf(document)) {
    const tag = operation.tags?.[0] ?? 'other'
    byTag.set(tag, [...(byTag.get(tag) ?? []), operationHtml(method, path, operation)])
  }
  const sections = [...byTag].map(
    ([tag, operations]) => `<h2 id="${idOf(tag)}">${escapeHtml(tag)}</h2>${operations.join('')}`,
  )
  const { title, version, description } = document.info
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>
<main><h1>${escapeHtml(title)} <small>${escapeHtml(version)}</small></h1><p>${escapeHtml(description ?? '')}</p>
<p>JSON over HTTP. Requests carry <code>Authorization: Bearer TOKEN</code> unless they are open. Failures are problem documents
(RFC 9457). Fields marked * are required. The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>
<nav>${[...byTag.keys(), 'messages'].map((tag) => `<a href="#${idOf(tag)}">${escapeHtml(tag)}</a>`).join(' ')}</nav>
${sections.join('\n')}
<h2 id="messages">messages</h2>${messagesHtml(document)}</main>
</html>`
}

function idOf(tag: string): string {
  return escapeHtml(tag.replaceAll(' ', '-'))
}

/** The policy that belongs to the page: nothing is loaded, nothing runs. */
export const DOCS_CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const STYLE = `@media screen{html{color-scheme:light dark}}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2a1e;background:#fbfcf9}
code{font:14px ui-monospace,monospace;overflow-wrap:anywhere}h2{margin-top:2.5rem;text-transform:capitalize}article{border-top:1px solid #d9e2d5;padding:.8rem 0}
article p{margin:.3rem 0}ul{margin:.3rem 0;padding-left:1.2rem}b.m{display:inline-block;min-width:4.2rem;color:#2f6b3a;text-transform:uppercase}small{color:#66756a}
a{color:#2f6b3a}nav a{margin-right:1rem;text-transform:capitalize;white-space:nowrap}table{border-collapse:collapse;width:100%;font-size:15px}td{border-top:1px solid #d9e2d5;padding:.25rem .8rem .25rem 0;vertical-align:top}
@media print{body{margin:0;padding:0;max-width:none;background:none}h2{break-after:avoid}article{break-inside:avoid}}
@media screen and (prefers-color-scheme:dark){body{color:#dfe7dd;background:#131914}article,td{border-color:#2e3a31}b.m,a{color:#8fce9b}small{color:#93a297}}`

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
  { summary = '', description, parameters = [], security, requestBody, responses = {} }: OperationShape,
): string {
  const open = security?.length === 0 ? ' <small>open</small>' : ''
  const items = [
    ...parameters.map(
      ({ name = '', in: place = '', required, description: about = '', schema = {} }) =>
        `<code>${escapeHtml(name)}</code>${required ? '*' : ''} <small>${escapeHtml(place)},</small> ${typeWords(schema, HTML)}${about === '' ? '' : `. ${escapeHtml(about)}`}`,
    ),
    ...(requestBody?.content ? [`Body: ${contentHtml(requestBody.content)}`] : []),
    ...Object.entries(responses)
      .filter(([status]) => status !== 'default')
      .map(
        ([status, answer]) =>
          `Answer: ${[status, contentHtml(answer?.content ?? {})].filter(Boolean).join(', ')}`,
      ),
  ]
  return `<article><b class="m">${escapeHtml(method)}</b> <code>${escapeHtml(path)}</code>${open}<p>${escapeHtml(summary)}.${
    description === undefined ? '' : ` <small>${escapeHtml(description)}</small>`
  }</p><ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul></article>`
}

function contentHtml(content: Content): string {
  return Object.entries(content)
    .map(([mediaType, { schema = {} } = {}]) =>
      mediaType === 'application/json' ? typeWords(schema, HTML) : HTML.code(mediaType),
    )
    .join(', ')
}

function messagesHtml({ components }: DocumentShape): string {
  return Object.entries<Schema>({ ...components?.schemas })
    .map(
      ([name, schema]) =>
        `<article id="message-${escapeHtml(name)}"><b>${escapeHtml(name)}</b>${
          schema.description === undefined ? '' : `<p><small>${escapeHtml(schema.description)}</small></p>`
        }${fieldsHtml(schema)}</article>`,
    )
    .join('')
}

function fieldsHtml(schema: Schema): string {
  if (!schema.properties) return `<p>${typeWords(schema, HTML)}</p>`
  const rows = Object.entries(schema.properties).map(
    ([name, field]) =>
      `<tr><td><code>${escapeHtml(name)}</code>${schema.required?.includes(name) ? '*' : ''}<td>${typeWords(field, HTML)}${
        field.default === undefined ? '' : `, ${HTML.code(JSON.stringify(field.default))} unless given`
      }${field.description === undefined ? '' : `<br><small>${escapeHtml(field.description)}</small>`}`,
  )
  return `<table>${rows.join('')}</table>`
}

/** How the page writes types. */
const HTML: TypeStyle = {
  code: (text) => `<code>${escapeHtml(text)}</code>`,
  message: (name) => `<a href="#message-${escapeHtml(name)}">${escapeHtml(name)}</a>`,
  codes: 'a code of the catalogue of reasons and faults',
}
