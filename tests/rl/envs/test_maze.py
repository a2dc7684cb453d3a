"""Mazes and their drawings: search, generation, reading; and the environment."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given
from hypothesis import strategies as st

import rl  # noqa: F401
from rl.envs import make_vector
from rl.envs.maze import MazeEnv
from rl.envs.maze_layout import MazeLayout, check_layout, generate_maze, shortest_path
from rl.envs.maze_text import article_maze, draw_maze, parse_maze, read_maze
from tests.examples import examples

UP, RIGHT, DOWN, LEFT = range(4)
MAZES = st.builds(
    lambda height, width, seed, loops: generate_maze(height, width, np.random.default_rng(seed), loops),
    st.integers(1, 9),
    st.integers(2, 9),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)


def distances(layout: MazeLayout) -> np.ndarray:
    """Steps from each cell to the goal, by sweeping until nothing changes; inf where no way leads."""
    steps = np.full(layout.cells, np.inf)
    steps[layout.goal] = 0
    for _ in range(layout.cells):
        for cell in range(layout.cells):
            for other in layout.neighbour[cell][layout.neighbour[cell] >= 0]:
                steps[cell] = min(steps[cell], 1 + steps[other])
    return steps


# mazes


def test_the_articles_maze_has_the_articles_walls():
    open_sides = [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1], [1, 0, 1, 0]]
    open_sides += [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 1]]
    maze = article_maze()
    assert (maze.neighbour[:8] >= 0).astype(int).tolist() == open_sides
    assert (maze.start, maze.goal, shortest_path(maze)) == (0, 8, [0, 1, 4, 5, 8])


@given(MAZES)
@examples(60)
def test_every_generated_maze_is_connected_and_sound(maze):
    steps = distances(maze)
    assert np.isfinite(steps).all()
    path = shortest_path(maze)
    assert len(path) - 1 == steps[maze.start]
    assert all(b in maze.neighbour[a] for a, b in zip(path, path[1:]))
    offsets = (-maze.width, 1, maze.width, -1)
    for cell in range(maze.cells):
        for action, other in enumerate(maze.neighbour[cell]):
            if other >= 0:
                assert other == cell + offsets[action]
                assert maze.neighbour[other, (action + 2) % 4] == cell
                assert action in (UP, DOWN) or other // maze.width == cell // maze.width


def test_a_maze_without_loops_has_one_way_and_a_seed_fixes_it():
    def doors(loops):
        return (generate_maze(12, 15, np.random.default_rng(3), loops).neighbour >= 0).sum() // 2

    assert doors(0.0) == 12 * 15 - 1 and doors(1.0) == 12 * 14 + 15 * 11
    one, other = (generate_maze(12, 15, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.neighbour, other.neighbour)
    with pytest.raises(ValueError, match="no way"):
        generate_maze(1, 1, np.random.default_rng(0))


@given(MAZES)
@examples(60)
def test_a_drawing_is_read_back_as_the_same_maze(maze):
    read = parse_maze("\n\n  " + draw_maze(maze, path=shortest_path(maze)).replace("\n", "\n  ") + "\n")
    assert np.array_equal(read.neighbour, maze.neighbour)
    for name in ("height", "width", "start", "goal"):
        assert getattr(read, name) == getattr(maze, name)


def test_blocks_are_read(tmp_path):
    path = tmp_path / "maze.txt"
    path.write_text("S.#\n#..\nG..\n", encoding="utf-8")
    maze = read_maze(path)
    assert shortest_path(maze) == [0, 1, 4, 7, 6]
    assert [cell for cell in range(9) if maze.is_solid(cell)] == [2, 3]
    assert "##" in draw_maze(maze)


@pytest.mark.parametrize(
    ("drawing", "what"),
    [
        ("", "empty"),
        ("S#G", "no path leads"),
        ("+--+--+\n|S |G |\n+--+--+", "no path leads"),
        ("S..", "0 cells marked G"),
        ("SS.G", "2 cells marked S"),
        ("+--+--+\n|S  G |", "2 lines"),
        ("+-+\n|S|\n+-+", "thin walls"),
    ],
)
def test_a_drawing_that_is_no_maze_is_refused_with_advice(drawing, what):
    with pytest.raises(ValueError, match=what) as error:
        parse_maze(drawing, "my.txt")
    assert "my.txt" in str(error.value) and "\n  " in str(error.value)


# environment


def test_walls_stop_and_the_goal_ends_with_a_return_of_minus_4():
    env = gymnasium.make("rl/Maze-v0")
    cell, info = env.reset(seed=0)
    assert cell == 0 and info["action_mask"].tolist() == [0, 1, 1, 0]
    assert env.step(UP)[0] == 0 and env.step(LEFT)[0] == 0
    env.reset()
    steps = [env.step(action) for action in (RIGHT, DOWN, RIGHT, DOWN)]
    assert [step[0] for step in steps] == [1, 4, 5, 8]
    assert sum(step[1] for step in steps) == -4
    assert [step[2] for step in steps] == [False, False, False, True]
    with pytest.raises(ResetNeeded):
        env.step(UP)


def test_many_walkers_walk_in_a_maze_of_ones_own():
    maze = generate_maze(4, 5, np.random.default_rng(1), 0.4)
    vector, single = make_vector("rl/Maze-v0", 3, layout=maze), MazeEnv(maze)
    assert vector.single_observation_space.n == single.observation_space.n == 20
    vector.reset(seed=0)
    single.reset(seed=0)
    for action in np.random.default_rng(0).integers(4, size=200):
        cell, *_ = single.step(action)
        observations, *_, infos = vector.step([action] * 3)
        assert (infos.get("final_obs", observations) == cell).all()
        if cell == maze.goal:
            single.reset()


def test_a_maze_without_a_path_is_refused():
    closed = MazeLayout(1, 2, 0, 1, np.full((2, 4), -1, np.int32))
    for refuse in (MazeEnv, check_layout):
        with pytest.raises(ValueError, match="no path"):
            refuse(closed)


def test_the_pictures_show_the_walker():
    env = MazeEnv(render_mode="rgb_array")
    env.reset()
    before = env.render()
    env.step(RIGHT)
    after = env.render()
    assert before.shape == (25, 25, 3)
    assert (before[4, 4] == (200, 60, 40)).all() and (after[4, 12] == (200, 60, 40)).all()
    assert (after[4, 4] == (170, 200, 240)).all()  # the start, free again
    assert (after[12, 8] == (20, 20, 20)).all() and (after[4, 8] == (245, 245, 245)).all()  # a wall, a door
    env.render_mode = "ansi"
    assert env.render().splitlines()[1] == "|S   o   |"
