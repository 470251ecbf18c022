"""Makes JavaScript programs at random: what people write."""

from __future__ import annotations

from typing import Callable, List

from .generated_expressions import Expressions


class Generator(Expressions):
    """Makes one program.

    :param seed: the same one makes the same program.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.functions: List[str] = []
        self.loops = 0
        self.statements_left = 40

    def program(self) -> str:
        """Return the source."""
        lines = []
        for kind in ("num", "str", "bool", "nums", "strs", "obj"):
            lines.append(self.declaration(kind))
        for _ in range(self.random.randint(0, 2)):
            lines.append(self.function())
        lines += self.block(self.random.randint(3, 8))
        lines.append(self.log())
        return "\n".join(lines)

    # Statements.

    def block(self, count: int) -> List[str]:
        lines = []
        for _ in range(count):
            if self.statements_left <= 0:
                break
            self.statements_left -= 1
            lines.append(self.random.choice(_STATEMENTS)(self))
        return lines

    def nested(self, count: int = 2) -> str:
        self.variables.append({})
        lines = self.block(self.random.randint(1, count))
        self.variables.pop()
        return "{\n" + "\n".join(lines or [";"]) + "\n}"

    def declaration(self, kind: str = "") -> str:
        kind = kind or self.random.choice(["num", "str", "bool", "nums", "strs", "obj", "mixed"])
        name = self.name()
        word = self.random.choice(["var", "let", "const"]) if len(self.variables) == 1 else (
            self.random.choice(["let", "const"])
        )
        text = f"{word} {name} = {self.expression(kind)};"
        if word != "const":
            self.declare(kind, name)
            self.declare(f"{kind}!", name)
        else:
            self.declare(kind, name)
        return text

    def log(self) -> str:
        kinds = ["num", "str", "bool", "nums", "strs", "mixed"]
        values = [self.expression(self.random.choice(kinds))
                  for _ in range(self.random.randint(1, 3))]
        # A format in the first argument is another matter.
        return f"console.log('>', {', '.join(values)});"

    def assignment(self) -> str:
        kind = self.random.choice(["num", "str", "bool", "mixed"])
        names = self.known(f"{kind}!")
        if not names:
            return self.log()
        name = self.random.choice(names)
        if kind == "num" and self.random.random() < 0.5:
            return self.random.choice([
                f"{name}++;", f"{name}--;", f"{name} += {self.num()};", f"{name} -= {self.num()};",
                f"{name} %= 7;", f"{name} = ({name} * 3) % 11;",
            ])
        if kind == "str" and self.random.random() < 0.5:
            return f"{name} = ({name} + {self.anything()}).slice(-20);"
        return f"{name} = {self.expression(kind)};"

    def condition(self) -> str:
        kind = self.random.choice(["bool", "num", "str", "mixed", "nums"])
        text = f"if ({self.expression(kind)}) {self.nested()}"
        if self.random.random() < 0.5:
            text += f" else {self.nested()}"
        elif self.random.random() < 0.3:
            text += f" else if ({self.expression('bool')}) {self.nested()}"
        return text

    def loop(self) -> str:
        if self.loops > 1:
            return self.log()
        self.loops += 1
        try:
            form: Callable[[], str] = self.random.choice(
                [self.counting, self.of, self.each, self.while_, self.names_of]
            )
            return form()
        finally:
            self.loops -= 1

    def _body(self, kind: str, name: str) -> str:
        self.variables.append({kind: [name]})
        lines = self.block(2)
        if self.random.random() < 0.3:
            lines.insert(0, f"if ({self.expression('bool')}) continue;")
        if self.random.random() < 0.2:
            lines.append(f"if ({self.expression('bool')}) {{ break; }}")
        self.variables.pop()
        return "{\n" + "\n".join(lines or [";"]) + "\n}"

    def counting(self) -> str:
        name = self.name()
        if self.random.random() < 0.3 and self.known("nums"):
            values = self.random.choice(self.known("nums"))
            return (f"for (let {name} = 0; {name} < {values}.length; {name}++) {{\n"
                    f"console.log({name}, {values}[{name}]);\n}}")
        start, end = self.random.randint(-1, 2), self.random.randint(1, 4)
        step = self.random.choice([f"{name}++", f"{name} += 2"])
        return f"for (let {name} = {start}; {name} < {end}; {step}) {self._body('num', name)}"

    def of(self) -> str:
        name = self.name()
        kind = self.random.choice(["num", "str"])
        return f"for (const {name} of {self.expression(kind + 's')}) {self._body(kind, name)}"

    def names_of(self) -> str:
        name = self.name()
        if not self.known("obj"):
            return self.log()
        table = self.random.choice(self.known("obj"))
        return f"for (const {name} in {table}) {{ console.log({name}, {table}[{name}]); }}"

    def each(self) -> str:
        name, place = self.name(), self.name()
        kind = self.random.choice(["num", "str"])
        values = self.random.choice(self.known(kind + "s") or ["[1, 2]"])
        self.variables.append({kind: [name], "num": [name, place] if kind == "num" else [place]})
        lines = self.block(2)
        if self.random.random() < 0.3:
            lines.insert(0, f"if ({self.expression('bool')}) {{ return; }}")
        self.variables.pop()
        form = f"({name}, {place}) =>" if self.random.random() < 0.5 else (
            f"function({name}, {place})"
        )
        return f"{values}.forEach({form} {{\n" + "\n".join(lines or [";"]) + "\n});"

    def while_(self) -> str:
        name = self.name()
        body = self.nested()
        return (f"let {name} = {self.random.randint(1, 3)};\n"
                f"while ({name} > 0) {{\n{name}--;\n{body}\n}}")

    def function(self) -> str:
        name, first, second = f"make{self.names}", self.name(), self.name()
        self.names += 1
        kinds = [self.random.choice(["num", "str", "mixed"]) for _ in range(2)]
        before, self.variables = self.variables, [{}]
        for kind, parameter in zip(kinds, (first, second)):
            self.declare(kind, parameter)
        lines = self.block(2)
        result = self.expression(self.random.choice(["num", "str", "mixed"]))
        self.variables = before
        self.functions.append(name)
        calls = "\n".join(
            f"console.log({name}({self.expression(kinds[0])}, {self.expression(kinds[1])}));"
            for _ in range(2)
        )
        body = "\n".join(lines)
        return f"function {name}({first}, {second}) {{\n{body}\nreturn {result};\n}}\n{calls}"

    def switch(self) -> str:
        kind = self.random.choice(["num", "str"])
        cases = "".join(
            f"case {self.literal(kind)}:\n{self.log()}\nbreak;\n" for _ in range(2)
        )
        return f"switch ({self.expression(kind)}) {{\n{cases}default:\n{self.log()}\n}}"

    def try_(self) -> str:
        name = self.name()
        return (f"try {{\nif ({self.expression('bool')}) {{ throw new Error({self.string()}); }}\n"
                f"{self.log()}\n}} catch ({name}) {{\nconsole.log('caught', {name}.message);\n}}")

    def mutation(self) -> str:
        kind = self.random.choice(["num", "str"])
        names = self.known(kind + "s")
        if not names:
            return self.log()
        name = self.random.choice(names)
        return self.random.choice([
            f"if ({name}.length < 6) {name}.push({self.expression(kind)});",
            f"{name}.pop();", f"if ({name}.length) console.log({name}.shift());",
            f"{name}.sort();" if kind == "str" else f"{name}.sort((a, b) => a - b);",
            f"{name}.reverse();", f"console.log({name}.splice(0, 1));",
            f"if ({name}.length) console.log({name}[0], {name}[{name}.length - 1]);",
        ])

    def destructuring(self) -> str:
        one, other = self.name(), self.name()
        if self.random.random() < 0.5:
            text = f"const [{one} = 4, {other} = 5] = {self.expression('nums')};"
        else:
            text = f"const {{ a: {one}, zz: {other} = {self.num()} }} = {self.expression('obj')};"
        return f"{text}\nconsole.log('got', {one}, {other});"


_STATEMENTS: List[Callable[[Generator], str]] = [
    Generator.log, Generator.log, Generator.declaration, Generator.assignment, Generator.condition,
    Generator.loop, Generator.switch, Generator.try_, Generator.mutation, Generator.destructuring,
]


def program(seed: int) -> str:
    """Return the program of a seed."""
    return Generator(seed).program()
