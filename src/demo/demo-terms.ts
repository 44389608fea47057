/** The terms of use of the demonstration's network. A text of one's own is published with `hedgerow terms publish`. */
export const DEMO_TERMS = `# Terms of use of the demonstration's network

1. An acquirer asks in its own name, for the purpose that it names, and uses what it is given for nothing else.
2. It does not try to find out about a single person, alone or together with others.
3. Rows that it was given it deletes and corrects when it is told to, and says that it did.
4. It passes rows on to nobody, and to no country but the one that it named.
5. It keeps its keys to itself, and replaces them when somebody else may have them.
6. Whoever breaks these terms is suspended.
`
