//! From source text to a tree of our own: the only place that knows minijinja.
//!
//! minijinja's parser and its tree carry no promise between versions; nothing outside this file depends on them.
//! Two things are put right here: its spans (a member's span begins at the last dot, a comparison's at the token
//! before it), and its numbers (literals are read from their written digits, not from its floats).

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::machinery::{Span, Token, ast, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use regex::Regex;

use super::problem::Problem;
use super::syntax_words::syntax_words;
use super::tree::{Argument, BinaryOp, Branch, Loop, Piece, Tree, TreeKind};
use crate::diagnostic::code;
use crate::value::Decimal;

/// Longest source string; longer ones are no mapping but a program.
const MAX_SOURCE: usize = 64 * 1024;
/// Most tokens between one pair of braces: minijinja's parser recurses along chains like `not not …`, and a thread's
/// stack is finite.
const MAX_TOKENS_PER_TAG: usize = 1000;
/// Most `elif`s in one source, which minijinja's parser nests.
const MAX_ELIFS: usize = 100;
/// Deepest tree; our own walks recurse along it.
const MAX_TREE_DEPTH: usize = 100;

static SYNTAX: LazyLock<SyntaxConfig> = LazyLock::new(|| {
    let built = SyntaxConfig::builder().keep_trailing_newline(true).build();
    // Only custom delimiters can be refused; the default ones are at worst kept as they are.
    built.unwrap_or_default()
});

/// Whether minijinja would see a tag in the text.
pub(crate) fn has_tags(source: &str) -> bool {
    source.contains("{{") || source.contains("{%") || source.contains("{#")
}

/// Parses template text into pieces.
pub(crate) fn parse_template(source: &str) -> Result<Vec<Piece>, Vec<Problem>> {
    check_limits(source).map_err(|problem| vec![problem])?;
    let parsed = parse(source, "", SYNTAX.clone()).map_err(|error| vec![syntax_problem(source, &error)])?;
    let ast::Stmt::Template(template) = &parsed else {
        return Err(vec![Problem::new(&code::TEMPLATE_SYNTAX, "not a template", 0..source.len())]);
    };
    let mut reader = Reader { source, problems: Vec::new(), depth: 0 };
    let pieces = reader.pieces(&template.children);
    if reader.problems.is_empty() { Ok(pieces) } else { Err(reader.problems) }
}

fn check_limits(source: &str) -> Result<(), Problem> {
    let too_large = |message: &str, range| {
        Problem::new(&code::EXPRESSION_LIMITS, message, range)
            .help("compute parts in `let` and use them by name")
    };
    if source.len() > MAX_SOURCE {
        return Err(too_large("text with expressions is longer than 64 KiB", 0..source.len()));
    }
    let (mut tokens, mut elifs) = (0, 0);
    for token in tokenize(source, false, SYNTAX.clone()) {
        // What the lexer refuses, the parser reports.
        let Ok((token, span)) = token else { return Ok(()) };
        match token {
            Token::TemplateData(_) | Token::VariableStart | Token::BlockStart => tokens = 0,
            Token::Ident("elif") => elifs += 1,
            _ => tokens += 1,
        }
        if tokens > MAX_TOKENS_PER_TAG {
            return Err(too_large("expression has more than 1000 parts", range_of(source, span)));
        }
        if elifs > MAX_ELIFS {
            return Err(too_large("more than 100 `elif` in one text", range_of(source, span)));
        }
    }
    Ok(())
}

fn range_of(source: &str, span: Span) -> Range<usize> {
    whole_characters(source, span.start_offset as usize..span.end_offset as usize)
}

/// The range within the source, widened to whole characters: the lexer counts one byte past what it refuses.
fn whole_characters(source: &str, range: Range<usize>) -> Range<usize> {
    let mut end = range.end.min(source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    let mut start = range.start.min(end);
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    start..end
}

fn syntax_problem(source: &str, error: &minijinja::Error) -> Problem {
    let detail = error.detail().unwrap_or("syntax error");
    let range = error.range().unwrap_or(0..source.len());
    let range = whole_characters(source, range);
    if let Some(statement) = detail.strip_prefix("unknown statement ") {
        let problem = Problem::new(&code::UNSUPPORTED, format!("there is no statement `{statement}`"), range);
        return problem.help("a text may use `if`, `for`, `set`, `with`, `filter` and `raw`");
    }
    if let Some((member, range)) = unspeakable_member(source) {
        let problem = Problem::new(&code::TEMPLATE_SYNTAX, format!("`{member}` is no identifier"), range);
        return problem.help(format!("write it in brackets: `[\"{member}\"]`"));
    }
    let (message, help) = syntax_words(source, detail, &range);
    Problem::new(&code::TEMPLATE_SYNTAX, message, range).help(syntax_help(source).unwrap_or(help))
}

/// A member such as `record.3DTxnResult`, which must be written in brackets.
fn unspeakable_member(source: &str) -> Option<(&str, Range<usize>)> {
    static MEMBER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[A-Za-z_\])]\.([0-9]+[A-Za-z_]\w*)").ok());
    let found = MEMBER.as_ref()?.captures(source)?.get(1)?;
    Some((found.as_str(), found.range()))
}

fn syntax_help(source: &str) -> Option<String> {
    let wrong = [("&&", "and"), ("||", "or"), ("===", "=="), ("?:", "… if … else …")];
    let (found, instead) = wrong.iter().find(|(found, _)| source.contains(found))?;
    Some(format!("write `{instead}` instead of `{found}`"))
}

struct Reader<'s> {
    source: &'s str,
    problems: Vec<Problem>,
    depth: usize,
}

impl<'s> Reader<'s> {
    fn range(&self, span: Span) -> Range<usize> {
        range_of(self.source, span)
    }

    fn unsupported(&mut self, range: Range<usize>, message: &str, help: &str) {
        self.problems.push(Problem::new(&code::UNSUPPORTED, message, range).help(help));
    }

    fn pieces(&mut self, statements: &[ast::Stmt<'s>]) -> Vec<Piece> {
        statements.iter().filter_map(|statement| self.piece(statement)).collect()
    }

    fn piece(&mut self, statement: &ast::Stmt<'s>) -> Option<Piece> {
        match statement {
            ast::Stmt::EmitRaw(raw) => Some(Piece::Text(raw.raw.to_owned())),
            ast::Stmt::EmitExpr(emit) => Some(Piece::Emit(self.tree(&emit.expr))),
            ast::Stmt::IfCond(branch) => Some(Piece::If(Branch {
                test: self.tree(&branch.expr),
                then: self.pieces(&branch.true_body),
                otherwise: self.pieces(&branch.false_body),
            })),
            ast::Stmt::ForLoop(each) => self.for_loop(each),
            ast::Stmt::WithBlock(with) => {
                let mut assignments = Vec::new();
                for (target, value) in &with.assignments {
                    assignments.push((self.target(target)?, self.tree(value)));
                }
                Some(Piece::With { assignments, body: self.pieces(&with.body) })
            }
            ast::Stmt::Set(set) => {
                Some(Piece::Set { target: self.target(&set.target)?, value: self.tree(&set.expr) })
            }
            ast::Stmt::SetBlock(set) => {
                let filters = set.filter.as_ref().map(|filter| self.tree(filter));
                Some(Piece::SetText {
                    target: self.target(&set.target)?,
                    filters,
                    body: self.pieces(&set.body),
                })
            }
            ast::Stmt::FilterBlock(block) => {
                Some(Piece::Filtered { filters: self.tree(&block.filter), body: self.pieces(&block.body) })
            }
            ast::Stmt::AutoEscape(block) => {
                let range = self.range(block.span());
                self.unsupported(range, "`autoescape` has no place here", "values are never escaped in text");
                None
            }
            ast::Stmt::Do(call) => {
                let range = self.range(call.span());
                self.unsupported(range, "`do` has no place here", "use a filter");
                None
            }
            ast::Stmt::Template(_) => None,
        }
    }

    fn for_loop(&mut self, each: &ast::Spanned<ast::ForLoop<'s>>) -> Option<Piece> {
        if each.recursive {
            let range = self.range(each.span());
            self.unsupported(range, "a loop cannot be recursive", "write one loop inside the other");
        }
        let targets = match &each.target {
            ast::Expr::List(list) => {
                list.items.iter().map(|item| self.target(item)).collect::<Option<Vec<_>>>()?
            }
            target => vec![self.target(target)?],
        };
        Some(Piece::For(Loop {
            unpack: matches!(each.target, ast::Expr::List(_)),
            targets,
            source: self.tree(&each.iter),
            keep: each.filter_expr.as_ref().map(|filter| self.tree(filter)),
            body: self.pieces(&each.body),
            otherwise: self.pieces(&each.else_body),
        }))
    }

    fn target(&mut self, target: &ast::Expr<'s>) -> Option<String> {
        if let ast::Expr::Var(name) = target {
            return Some(name.id.to_owned());
        }
        let range = self.range(target.span());
        self.unsupported(range, "only a plain name can be set", "write `{% set name = … %}`");
        None
    }

    /// The tree of an expression; a part that has no place is reported and stands as null.
    fn tree(&mut self, expr: &ast::Expr<'s>) -> Tree {
        if self.depth >= MAX_TREE_DEPTH {
            let range = self.range(expr.span());
            let problem =
                Problem::new(&code::EXPRESSION_LIMITS, "expression is nested too deeply", range.clone());
            self.problems.push(problem.help("compute parts in `let` and use them by name"));
            return Tree { range, kind: TreeKind::Null };
        }
        self.depth += 1;
        let tree = self.tree_within(expr);
        self.depth -= 1;
        tree
    }

    fn boxed(&mut self, expr: &ast::Expr<'s>) -> Box<Tree> {
        Box::new(self.tree(expr))
    }

    fn tree_within(&mut self, expr: &ast::Expr<'s>) -> Tree {
        let span = self.range(expr.span());
        match expr {
            ast::Expr::Var(name) => Tree { range: span, kind: TreeKind::Name(name.id.to_owned()) },
            ast::Expr::Const(constant) => self.constant(&constant.value, span),
            ast::Expr::GetAttr(get) => {
                let of = self.boxed(&get.expr);
                Tree { range: of.range.start..span.end, kind: TreeKind::Member(of, get.name.to_owned()) }
            }
            ast::Expr::GetItem(get) => {
                let of = self.boxed(&get.expr);
                let range = of.range.start..span.end;
                Tree { range, kind: TreeKind::Index(of, self.boxed(&get.subscript_expr)) }
            }
            ast::Expr::Slice(slice) => self.slice(slice, span),
            ast::Expr::UnaryOp(unary) => {
                let operand = self.boxed(&unary.expr);
                let range = span.start.min(operand.range.start)..operand.range.end.max(span.end);
                let kind = match unary.op {
                    ast::UnaryOpKind::Not => TreeKind::Not(operand),
                    ast::UnaryOpKind::Neg => TreeKind::Negate(operand),
                };
                Tree { range, kind }
            }
            ast::Expr::BinOp(binary) => self.binary(binary),
            ast::Expr::Compare(compare) => self.comparison(compare),
            ast::Expr::IfExpr(choice) => self.choice(choice),
            ast::Expr::Filter(filter) => self.filter(filter, span),
            ast::Expr::Test(test) => {
                let input = self.boxed(&test.expr);
                let range = input.range.start..span.end;
                let name_range = span.start..span.start + test.name.len();
                let arguments = self.arguments(&test.args, &span);
                Tree {
                    range,
                    kind: TreeKind::Test { name: test.name.to_owned(), name_range, input, arguments },
                }
            }
            ast::Expr::Call(call) => {
                let help = "use a filter: `value | name`";
                let start = self.tree(&call.expr).range.start.min(span.start);
                self.unsupported(start..span.end, "functions and methods cannot be called", help);
                Tree { range: span, kind: TreeKind::Null }
            }
            ast::Expr::List(list) => self.list(&list.items, span),
            ast::Expr::Tuple(tuple) => self.list(&tuple.items, span),
            ast::Expr::Map(map) => {
                let keys: Vec<Tree> = map.keys.iter().map(|key| self.tree(key)).collect();
                let values: Vec<Tree> = map.values.iter().map(|value| self.tree(value)).collect();
                Tree { range: span, kind: TreeKind::Map(keys.into_iter().zip(values).collect()) }
            }
        }
    }

    fn constant(&mut self, value: &minijinja::Value, range: Range<usize>) -> Tree {
        let kind = match value.kind() {
            ValueKind::Bool => TreeKind::Bool(value.is_true()),
            ValueKind::Number => TreeKind::Number(self.number(value, &range)),
            ValueKind::String => TreeKind::Text(value.as_str().unwrap_or_default().to_owned()),
            _ => TreeKind::Null,
        };
        Tree { range, kind }
    }

    /// A number as its written digits say; only other bases go through the parser's value, which is exact there.
    fn number(&mut self, value: &minijinja::Value, range: &Range<usize>) -> Decimal {
        let written = self.source.get(range.clone()).unwrap_or("").replace('_', "");
        let based = matches!(written.as_bytes(), [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
        let number = match u128::try_from(value.clone()) {
            Ok(whole) if based => Decimal::parse(&whole.to_string()),
            _ => Decimal::parse(&written),
        };
        number.unwrap_or_else(|error| {
            self.problems.push(Problem::new(&code::TEMPLATE_SYNTAX, error.to_string(), range.clone()));
            Decimal::ZERO
        })
    }

    fn slice(&mut self, slice: &ast::Spanned<ast::Slice<'s>>, span: Range<usize>) -> Tree {
        let of = self.boxed(&slice.expr);
        let range = of.range.start..span.end;
        let mut bound = |bound: &Option<ast::Expr<'s>>| bound.as_ref().map(|bound| self.boxed(bound));
        let (start, stop, step) = (bound(&slice.start), bound(&slice.stop), bound(&slice.step));
        Tree { range, kind: TreeKind::Slice { of, start, stop, step } }
    }

    fn binary(&mut self, binary: &ast::Spanned<ast::BinOp<'s>>) -> Tree {
        let (left, right) = (self.boxed(&binary.left), self.boxed(&binary.right));
        let range = left.range.start..right.range.end.max(left.range.start);
        let kind = match binary_op(binary.op) {
            Some(op) => TreeKind::Binary(op, left, right),
            None if matches!(binary.op, ast::BinOpKind::ScAnd) => TreeKind::And(left, right),
            None => TreeKind::Or(left, right),
        };
        Tree { range, kind }
    }

    fn comparison(&mut self, compare: &ast::Spanned<ast::Compare<'s>>) -> Tree {
        let first = self.boxed(&compare.expr);
        let mut rest = Vec::new();
        for link in &compare.ops {
            rest.push((compare_op(link.op), self.tree(&link.expr)));
        }
        let end = rest.last().map_or(first.range.end, |(_, last)| last.range.end);
        Tree { range: first.range.start..end.max(first.range.start), kind: TreeKind::Chain(first, rest) }
    }

    fn choice(&mut self, choice: &ast::Spanned<ast::IfExpr<'s>>) -> Tree {
        let then = self.boxed(&choice.true_expr);
        let test = self.boxed(&choice.test_expr);
        let otherwise = choice.false_expr.as_ref().map(|other| self.boxed(other));
        let end = otherwise.as_ref().map_or(test.range.end, |other| other.range.end);
        Tree {
            range: then.range.start..end.max(then.range.start),
            kind: TreeKind::Choose { test, then, otherwise },
        }
    }

    fn filter(&mut self, filter: &ast::Spanned<ast::Filter<'s>>, span: Range<usize>) -> Tree {
        let input = filter.expr.as_ref().map(|input| self.boxed(input));
        let start = input.as_ref().map_or(span.start, |input| input.range.start);
        let name_range = span.start..span.start + filter.name.len();
        let arguments = self.arguments(&filter.args, &span);
        Tree {
            range: start..span.end,
            kind: TreeKind::Filter { name: filter.name.to_owned(), name_range, input, arguments },
        }
    }

    fn list(&mut self, items: &[ast::Expr<'s>], range: Range<usize>) -> Tree {
        Tree { range, kind: TreeKind::List(items.iter().map(|item| self.tree(item)).collect()) }
    }

    fn arguments(&mut self, args: &[ast::CallArg<'s>], span: &Range<usize>) -> Vec<Argument> {
        let mut arguments = Vec::new();
        for arg in args {
            match arg {
                ast::CallArg::Pos(value) => arguments.push(Argument { name: None, value: self.tree(value) }),
                ast::CallArg::Kwarg(name, value) => {
                    arguments.push(Argument { name: Some((*name).to_owned()), value: self.tree(value) });
                }
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    self.unsupported(
                        span.clone(),
                        "arguments cannot be spread with `*`",
                        "write each argument",
                    );
                }
            }
        }
        arguments
    }
}

fn binary_op(op: ast::BinOpKind) -> Option<BinaryOp> {
    Some(match op {
        ast::BinOpKind::Eq => BinaryOp::Eq,
        ast::BinOpKind::Ne => BinaryOp::Ne,
        ast::BinOpKind::Lt => BinaryOp::Lt,
        ast::BinOpKind::Lte => BinaryOp::Le,
        ast::BinOpKind::Gt => BinaryOp::Gt,
        ast::BinOpKind::Gte => BinaryOp::Ge,
        ast::BinOpKind::In => BinaryOp::In,
        ast::BinOpKind::Add => BinaryOp::Add,
        ast::BinOpKind::Sub => BinaryOp::Sub,
        ast::BinOpKind::Mul => BinaryOp::Mul,
        ast::BinOpKind::Div => BinaryOp::Div,
        ast::BinOpKind::FloorDiv => BinaryOp::FloorDiv,
        ast::BinOpKind::Rem => BinaryOp::Rem,
        ast::BinOpKind::Pow => BinaryOp::Pow,
        ast::BinOpKind::Concat => BinaryOp::Join,
        ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr => return None,
    })
}

fn compare_op(op: ast::CompareOpKind) -> BinaryOp {
    match op {
        ast::CompareOpKind::Eq => BinaryOp::Eq,
        ast::CompareOpKind::Ne => BinaryOp::Ne,
        ast::CompareOpKind::Lt => BinaryOp::Lt,
        ast::CompareOpKind::Lte => BinaryOp::Le,
        ast::CompareOpKind::Gt => BinaryOp::Gt,
        ast::CompareOpKind::Gte => BinaryOp::Ge,
        ast::CompareOpKind::In => BinaryOp::In,
        ast::CompareOpKind::NotIn => BinaryOp::NotIn,
    }
}
