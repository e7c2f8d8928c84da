"""A fuzzer: odd command lines, files, run folders and declarations, of which none may end in anything but words.

``python -m tests.fuzz --seed 1 --inputs 10000`` makes as many inputs. Each one depends on the seed and its number only.
An input is carried out in a process of its own, in a folder of its own. No Ray is started, and nothing is sent to
another machine. The fuzzer counts four faults:

- a traceback, or a death of the process,
- an answer that calls the error "not foreseen",
- no answer within 5 seconds,
- something written outside of the folder in which the command may write.
"""
