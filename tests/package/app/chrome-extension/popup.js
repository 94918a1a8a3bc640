const [input, list] = document.querySelectorAll("input, ol");
input.addEventListener("input", async () => {
  const found = await chrome.runtime.sendMessage(input.value);
  list.replaceChildren(...found.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
});
