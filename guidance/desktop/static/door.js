// The door passes on what the address brought: the token of its fragment, the agent of its query.

for (const link of document.querySelectorAll("nav a")) link.href = `${link.pathname}${location.search}${location.hash}`;
document.getElementById("hint").hidden = new URLSearchParams(location.hash.slice(1)).has("token");
