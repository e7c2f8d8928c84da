"""Expressions for odd experiment files: values, spaces, searchers and errors, and what they are written with."""

from __future__ import annotations


def _entries(text: str) -> tuple[str, ...]:
    """Return the entries of a text, which are divided by semicolons with blanks around."""
    return tuple(entry.strip() for line in text.strip().splitlines() for entry in line.split(" ;") if entry.strip())


VALUES = _entries(
    r"""
0 ;  -1 ;  1 ;  10**9 ;  10**400 ;  -10**5000 ;  1e-320 ;  1e301 ;  float('nan') ;  float('inf') ;  True ;  None ;
'' ;  'x' ;  'x' * 10**6 ;  [] ;  {} ;  () ;  object() ;  object ;  lambda: 1 ;  len ;  b'x' ;  range(10**9) ;
... ;  np.float32(1) ;  np.int64(3) ;  np.zeros(3) ;  np.array([]) ;  keras ;  Evil() ;  Evil ;  [Evil()] ;
{'a': Evil()} ;  Mute() ;  [[[[[[[[[[1]]]]]]]]]] ;  deep(500) ;  deep(900) ;  open('/dev/null') ;
(i for i in [1]) ;  set() ;  {1, 2} ;  '\ud800' ;  '\x1b[31mred' ;  '\n' ;  '9' * 5000 ;  1j ;
type('Own', (), {}) ;  Exception('x') ;  NotImplemented ;  Blobs ;  Blobs() ;  SearchSpace ;  Random ;  ASHA ;
Objective ;  Resources ;  Float(0, 1) ;  Grid() ;  HyperOpt()
"""
)
SPACES = _entries(
    r"""
SearchSpace() ;  SearchSpace(rate=Float(1e-320, 1e301, log=True)) ;  SearchSpace(rate=Float(1e-320, 1e-310)) ;
SearchSpace(rate=Float(-1.7e308, 1.7e308)) ;  SearchSpace(rate=Float(0, 1e308, step=1e-300)) ;
SearchSpace(rate=Float(0.0, 1.0, step=1e-9)) ;  SearchSpace(rate=Int(0, 10**400)) ;
SearchSpace(rate=Int(1, 10**300, log=True)) ;  SearchSpace(rate=Int(1, 10**18)) ;
SearchSpace(**{f'p{i}': Int(1, 1000) for i in range(3)}) ;
SearchSpace(**{f'p{i}': Choice(*range(50)) for i in range(500)}) ;  SearchSpace(rate=Choice(*range(10**5))) ;
SearchSpace(rate=Choice(*map(str, range(3000)))) ;  SearchSpace(rate=Int(1, 9), units=Float(0, 1).per('rate')) ;
SearchSpace(n=Int(1, 400), rate=Float(0, 1).per('n')) ;  SearchSpace(n=Int(1, 10**9), rate=Float(0, 1).per('n')) ;
SearchSpace(a=Int(1, 7), b=Int(1, 7).per('a'), c=Int(1, 7).per('b')) ;  chain(500) ;  chain(499) ;  chain(200) ;
fan(499) ;  grid_chain(300) ;  lists(8) ;  lists(9) ;  SearchSpace(**{'r' * 5000: Float(0, 1)}) ;
SearchSpace(**{'trial': Float(0, 1), 'rank': Int(0, 1), 'status': Int(0, 1)}) ;
SearchSpace(rate=Choice(deep(30), deep(31))) ;  SearchSpace(rate=Choice('x' * 10**6, 'y')) ;
SearchSpace(rate=Fixed(deep(500))) ;  SearchSpace(rate=Float(0, 1).when(rate=1)) ;
SearchSpace(a=Int(0, 1).when(b=1), b=Int(0, 1).when(a=1)) ;
SearchSpace(a=Choice(1, 2), rate=Float(0, 1).when(a=Evil())) ;
SearchSpace(a=Choice(1, 2), rate=Float(0, 1).when(a=list(range(10**5)))) ;  SearchSpace(a=Choice(Evil(), 1)) ;
SearchSpace(a=Evil()) ;  {'rate': Evil()} ;  {'rate': 1} ;  {1: 2}
"""
)
PARTS = _entries(
    r"""
Grid() ;  Sweep() ;  Sweep([('p0', 'p1', 'p2')]) ;  Sweep([('rate',)]) ;
Sweep([tuple(f'p{i}' for i in range(500))]) ;  Sweep([f'p{i}' for i in range(500)]) ;  Sweep([('rate', Evil())]) ;
Sweep(Evil()) ;  Sweep([('a', 'b', 'c')]) ;  Sweep('rate', {'rate': 1e-320}) ;  Sweep('rate', Evil()) ;
HyperOpt() ;  HyperOpt(points=[{'rate': 0.1}]) ;  HyperOpt(points=[{'rate': Evil()}]) ;  HyperOpt(points=Evil()) ;
HyperOpt(points=[{'rate': 1}] * 10**5) ;  HyperOpt(startup_trials=10**400) ;
HyperOpt(gamma=1e-320, prior_weight=1e301) ;  HyperOpt(candidates=10**12) ;  Bayesian(candidates=10**12) ;
Bayesian() ;  ASHA(brackets=10**9) ;  ASHA(grace_period=10**400) ;  ASHA(reduction_factor=Evil()) ;
Resources(cpus=1e-320) ;  Resources(gpus=1e-320) ;  Resources(cpus=1e301, gpus=1e301) ;
Resources(custom={'x': 1e-320}) ;  Resources(custom={'x' * 5000: 1}) ;  Resources(custom={Evil(): Evil()}) ;
Resources(memory_bytes=10**400) ;  Objective('x' * 10**6, 'max') ;  Objective('\x1b[31m', 'max') ;
Objective(Evil(), Evil())
"""
)
RAISED = _entries(
    r"""
ValueError('x') ;  SystemExit ;  SystemExit(3) ;  SystemExit('left') ;  KeyboardInterrupt ;
KeyboardInterrupt('own') ;  GeneratorExit ;  GeneratorExit('x') ;  StopIteration ;  StopAsyncIteration ;
MemoryError ;  RecursionError ;  Own ;  Own('x') ;  Unspeakable() ;  ValueError('x' * 10**6) ;
ValueError('\x1b[31mred') ;  OSError(28, 'No space left') ;  BrokenPipeError(32, 'x') ;
OSError(32, 'Broken pipe') ;  ExceptionGroup('all', [ValueError(1)]) ;  AssertionError ;
BaseExceptionGroup('all', [SystemExit(1)]) ;  UnicodeDecodeError('utf-8', b'x', 0, 1, 'r') ;  KeyError(Evil()) ;
ImportError('x', name=None) ;  ModuleNotFoundError(name='x.y') ;  SyntaxError('x') ;
SyntaxError('x', (None, 1, 1, 'y')) ;  NotImplementedError ;  ZeroDivisionError ;  Warning ;
BlockingIOError(11, 'x') ;  InterruptedError ;  TimeoutError ;  click.Abort() ;  click.exceptions.Exit(3) ;
click.UsageError('x') ;  InvalidDeclaration('x') ;  RequestError('x') ;  InvalidData('x') ;  RunFailed('x') ;
ValueError('\ud800') ;  asyncio.CancelledError() ;  EOFError ;  LookupError(1, 2)
"""
)
HELPERS = """
import asyncio, click
from tune_jobs import *
from search_spaces import *
from search_spaces import InvalidDeclaration
from trainables import InvalidData


class Own(BaseException):
    pass


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")
    __repr__ = __str__


class Evil:
    def __repr__(self):
        raise ValueError("no words")

    def __eq__(self, other):
        raise ValueError("no equal")

    def __bool__(self):
        raise ValueError("no truth")

    def __len__(self):
        raise ValueError("no length")

    def __iter__(self):
        raise ValueError("no parts")

    def __hash__(self):
        return 1


class Mute:
    def __getattr__(self, name):
        raise ValueError("no attributes")


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def chain(count):
    parts = {"p0": Choice(0, 1)}
    for i in range(1, count):
        parts[f"p{i}"] = Choice(0, 1).when(**{f"p{i-1}": 1})
    return SearchSpace(**parts)


def fan(count):
    return SearchSpace(p0=Choice(0, 1), **{f"p{i}": Choice(0, 1).when(p0=1) for i in range(1, count)})


def grid_chain(count):
    parts = {"p0": Choice(*range(5)), "p1": Choice(*range(5))}
    for i in range(2, count):
        parts[f"p{i}"] = Choice(*range(5)).when(**{f"p{i-1}": [0, 1], f"p{i-2}": [1, 2]})
    return SearchSpace(**parts)


def lists(levels):
    parts = {"p0": Int(1, 2)}
    for i in range(1, levels + 1):
        parts[f"p{i}"] = Int(1, 2).per(f"p{i-1}")
    return SearchSpace(**parts)
"""
