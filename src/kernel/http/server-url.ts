/** Whether a text is the address of a server that can be called: `http://` or `https://` and a host. */
export function isServerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.host !== ''
}

/** The address of a server on a host and port. */
export function serverUrl({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
