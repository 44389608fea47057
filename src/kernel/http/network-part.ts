/** An address as one machine is known by: of an IPv6 address the network part alone, because one machine has the rest to itself. */
export function networkPart(address: string): string {
  const mapped = /^::ffff:(?<four>[\d.]+)$/i.exec(address)?.groups?.['four']
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':')
}
