import { sha256 } from '../../kernel/digest.ts'

/**
 * Renews the network's page without loading it anew: every five seconds, while somebody looks, what has changed is put in place of
 * what was there. Where the reader is stays: focus, scroll, what is marked. Without a script the page has a link.
 */
export const HOME_PAGE_SCRIPT = `const parts=(page)=>[...page.querySelectorAll('main tbody,main p,main h3,main pre,footer span')]
const put=(old,fresh)=>{if(old.innerHTML!==fresh.innerHTML)old.innerHTML=fresh.innerHTML}
async function renew(){
if(document.hidden||!getSelection().isCollapsed)return
const answer=await fetch('/').catch(()=>undefined)
if(!answer?.ok){document.getElementById('away').hidden=false;return}
const page=new DOMParser().parseFromString(await answer.text(),'text/html'),old=parts(document),fresh=parts(page)
if(old.every((part,at)=>part.tagName===fresh[at]?.tagName)&&old.length===fresh.length)old.forEach((part,at)=>put(part,fresh[at]))
else{const name=document.activeElement.getAttribute('aria-label')
put(document.querySelector('main'),page.querySelector('main'))
if(name)document.querySelector('[aria-label="'+name+'"]')?.focus({preventScroll:true})}
document.getElementById('away').hidden=true}
setInterval(renew,5000)`

/** How the page's content policy names its one script (CSP Level 3, §8.3): no other runs. */
export const HOME_PAGE_SCRIPT_SOURCE = `'sha256-${Buffer.from(sha256(HOME_PAGE_SCRIPT)).toString('base64')}'`
