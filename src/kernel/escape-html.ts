import { TURNING_SIGNS } from './turning-signs.ts'

/** A text as it stands in HTML, within an element or a quoted attribute: it is read and never obeyed. */
export function escapeHtml(text: string): string {
  return text.replaceAll(
    OBEYED,
    (sign) => ENTITIES[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * What opens an element, ends an attribute or names an entity; control characters, which HTML has no place for; and what turns the
 * direction of all that follows.
 */
const OBEYED = new RegExp(String.raw`[&<>"']|(?![\n\r\t])\p{Cc}|[${TURNING_SIGNS}]`, 'gu')
