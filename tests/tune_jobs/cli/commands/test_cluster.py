"""`tune-jobs cluster check`."""

from pathlib import Path

from click.testing import CliRunner, Result

from tune_jobs.cli.main import main

SHIPPED = str(Path(__file__).parents[4] / "cluster.yaml")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cluster", "check", *arguments])


def test_a_right_file_is_described() -> None:
    result = check(SHIPPED)
    assert result.exit_code == 0
    assert "gpu_worker  0 to 4 workers, each with 48 CPUs, 4 GPUs" in result.output
    assert "a trial" not in result.output


def test_what_an_experiment_needs_is_laid_beside_it() -> None:
    result = check(SHIPPED, "digits_mlp", "--gpus", "0.25")
    assert result.exit_code == 0
    assert "4 GPUs a node / 0.25 a trial = 16 trials a node" in result.output
    assert "side by side, when all nodes are there: 64 trials" in result.output


def test_options_alone_do_as_well() -> None:
    result = check(SHIPPED, "--cpus", "3")
    assert "48 CPUs a node / 3 a trial = 16 trials a node" in result.output


def test_what_fits_nowhere_is_refused() -> None:
    result = check(SHIPPED, "--gpus", "8")
    assert result.exit_code == 2
    assert "no node has more than 4: no trial could start" in result.output


def test_mistakes_of_file_experiment_and_options_are_told_together(tmp_path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("provider: {type: nowhere}\n")
    result = check(str(path), "digits_mpl")
    assert result.exit_code == 2
    assert "Error: 2 things are wrong:" in result.output
    assert "nowhere" in result.output
    assert "Did you mean digits_mlp?" in result.output


def test_resources_that_mean_nothing_are_refused() -> None:
    result = check(SHIPPED, "--gpus", "-1")
    assert result.exit_code == 2
    assert "`gpus` is -1.0" in result.output


def test_a_file_cannot_steer_the_terminal(tmp_path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text('provider: {type: aws, region: x}\n"\\e[2J": 1\n')
    result = check(str(path))
    assert result.exit_code == 2
    assert "\x1b" not in result.output
