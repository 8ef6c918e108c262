const form = document.getElementById("of-image");
const answer = document.getElementById("answer");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = document.getElementById("file").files[0];
  const texts = document.getElementById("texts").value.split("\n").map((each) => each.trim()).filter(Boolean);
  const asked = new URLSearchParams([...texts.map((each) => ["text", each])]);
  answer.textContent = "The model looks at it…";
  try {
    const response = await fetch(`${texts.length ? "/compared" : "/found"}?${asked}`, { method: "POST", body: file });
    const made = new DOMParser().parseFromString(await response.text(), "text/html");
    answer.replaceChildren(...made.body.childNodes);
  } catch {
    answer.textContent = "The server does not answer.";
  }
});
