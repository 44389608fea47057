/** Who was given something in an incident, each with where it is written to, where it has said so. */
export function recipientTexts({
  recipients,
  recipientAddresses,
}: {
  readonly recipients: readonly string[]
  readonly recipientAddresses: readonly { readonly member: string; readonly address: string }[]
}): string[] {
  const addresses = new Map(recipientAddresses.map(({ member, address }) => [member, address]))
  return recipients.map((member) => {
    const address = addresses.get(member)
    return address === undefined ? member : `${member} (${address})`
  })
}
