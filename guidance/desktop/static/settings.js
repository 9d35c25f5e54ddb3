// Where the gateway is, and who looks at the page: `/config.json`, the query and the fragment of the address.

/**
 * @returns {Promise<{websocket: string, token: string|null, agentId: string|null}>} token and agent
 *   id are null where the address has none.
 * @throws {Error} `/config.json` could not be had
 */
export async function settings() {
  // The token is in the fragment: a fragment is never sent to a server, so it gets into no access log.
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  const agentId = new URLSearchParams(location.search).get("agent");
  const answer = await fetch("/config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`/config.json answered ${answer.status}`);
  const { websocket } = await answer.json();
  return { websocket, token, agentId };
}
