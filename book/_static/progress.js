/* What the reader has done is kept in this browser and nowhere else: questions answered, exercises ticked. */
"use strict";

(() => {
  const KEY = "after-zero-loss-done";

  // A browser may forbid storage; the page then forgets when it is closed, and all else works.
  const read = () => {
    try {
      return new Set(JSON.parse(localStorage.getItem(KEY)) || []);
    } catch {
      return new Set();
    }
  };
  const done = read();
  const keep = (name, isDone) => {
    const kept = read(); // another tab may have added to it
    for (const set of [kept, done]) {
      if (isDone) set.add(name);
      else set.delete(name);
    }
    try {
      localStorage.setItem(KEY, JSON.stringify([...kept].sort()));
    } catch {}
  };
  const forget = () => {
    done.clear();
    try {
      localStorage.removeItem(KEY);
    } catch {}
  };

  const file = location.pathname.split("/").pop().replace(/\.html$/, "");
  const chapter = (() => {
    try {
      return decodeURIComponent(file);
    } catch {
      return file;
    }
  })();

  function followQuestions() {
    for (const quiz of document.querySelectorAll("fieldset.quiz")) {
      const right = quiz.querySelector(".right input");
      const name = `${chapter}/${right.name}`;
      if (done.has(name)) right.checked = true;
      right.addEventListener("change", () => keep(name, true));
    }
  }

  function followExercises() {
    for (const exercise of document.querySelectorAll("div.exercise[id]")) {
      const title = exercise.querySelector(".admonition-title");
      if (!title) continue;
      const name = `${chapter}/${exercise.id}`;
      const label = document.createElement("label");
      label.className = "exercise-done";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.autocomplete = "off";
      box.checked = done.has(name);
      box.addEventListener("change", () => keep(name, box.checked));
      label.append(box, " done");
      title.append(label);
    }
  }

  function showContents() {
    const lines = [...document.querySelectorAll(".chapter-progress")];
    if (!lines.length) return;
    const reset = document.createElement("button");
    reset.type = "button";
    reset.className = "progress-reset";
    reset.textContent = "Forget what I have done";
    const fill = () => {
      let any = false;
      for (const line of lines) {
        const { chapter, questions, exercises } = line.dataset;
        const mine = [...done].filter((name) => name.startsWith(`${chapter}/`));
        const answered = Math.min(mine.filter((name) => name.includes("/quiz-")).length, questions);
        const solved = Math.min(mine.filter((name) => name.includes("/ex-")).length, exercises);
        line.textContent = `${answered} of ${questions} questions, ${solved} of ${exercises} exercises`;
        line.classList.toggle("all-done", answered == questions && solved == exercises);
        any ||= mine.length > 0;
      }
      reset.hidden = !any;
    };
    reset.addEventListener("click", () => {
      forget();
      fill();
    });
    lines.at(-1).closest("ol, ul")?.after(reset);
    fill();
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  for (const step of [followQuestions, followExercises, showContents]) {
    try {
      step();
    } catch (error) {
      (window.reportError || console.error)(error); // and the next step is taken
    }
  }
})();
