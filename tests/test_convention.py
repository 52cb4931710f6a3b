import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from memstore import convention
from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput

NUMBERS = st.floats(-1, 1, allow_subnormal=False)
QUATERNIONS = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).filter(lambda q: np.linalg.norm(q) > 1e-3).map(np.array)
PLACES = st.tuples(*[st.floats(-1e3, 1e3)] * 3).map(np.array)


@st.composite
def cameras_to_world(draw):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(draw(QUATERNIONS)).as_matrix()
    matrix[:3, 3] = draw(PLACES)
    return matrix


@given(QUATERNIONS)
def test_a_quaternion_turns_into_the_rotation_that_scipy_finds(q):
    np.testing.assert_allclose(
        convention.rotation_from_quaternion(q), Rotation.from_quat(np.roll(q, -1)).as_matrix(), atol=1e-12
    )


@given(QUATERNIONS)
def test_a_rotation_turns_into_its_quaternion_up_to_sign(q):
    found = convention.quaternion_from_rotation(convention.rotation_from_quaternion(q))
    unit = q / np.linalg.norm(q)
    assert found[0] >= 0
    assert min(np.abs(found - unit).max(), np.abs(found + unit).max()) < 1e-9


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("angle", [np.pi, np.pi - 1e-9, 1e-9, 0.0, np.pi / 2])
def test_half_turns_and_tiny_turns_lose_no_digits(axis, angle):
    rotation = Rotation.from_rotvec(angle * np.eye(3)[axis]).as_matrix()
    found = convention.rotation_from_quaternion(convention.quaternion_from_rotation(rotation))
    np.testing.assert_allclose(found, rotation, atol=1e-14)


def test_many_quaternions_turn_as_each_does_alone():
    q = np.random.default_rng(3).normal(size=(4, 5, 4))
    together = convention.rotation_from_quaternion(q)
    for place in np.ndindex(4, 5):
        np.testing.assert_array_equal(together[place], convention.rotation_from_quaternion(q[place]))
        np.testing.assert_array_equal(
            convention.quaternion_from_rotation(together)[place], convention.quaternion_from_rotation(together[place])
        )


@given(cameras_to_world())
def test_every_converter_is_undone_by_its_inverse(matrix):
    there_and_back = {
        "opengl": convention.from_opengl(convention.to_opengl(matrix)),
        "nerfstudio": convention.from_nerfstudio(convention.to_nerfstudio(matrix)),
        "nerfstudio 3x4": convention.from_nerfstudio(convention.to_nerfstudio(matrix)[:3]),
        "colmap": convention.from_colmap(*convention.to_colmap(matrix)),
        "tum": convention.from_tum(*convention.to_tum(matrix)),
    }
    for tool, found in there_and_back.items():
        np.testing.assert_allclose(found, matrix, atol=1e-9, err_msg=tool)


@given(cameras_to_world(), st.floats(10, 2000), st.floats(0, 640), st.floats(0, 480))
def test_a_camera_survives_matrix_game_and_back(matrix, focal, cx, cy):
    camera = Camera(focal, focal * 1.2, cx, cy, 640, 480, matrix)
    back = convention.from_matrix_game(*convention.to_matrix_game(camera), 640, 480)
    np.testing.assert_allclose(back.intrinsics, camera.intrinsics, atol=1e-9)
    np.testing.assert_allclose(back.camera_to_world, matrix, atol=1e-9)


def test_an_opengl_camera_looks_along_minus_z_with_y_up():
    ours = look_at((1, 2, 3), (1, 7, 3))
    opengl = convention.to_opengl(ours)
    np.testing.assert_allclose(-opengl[:3, 2], ours[:3, 2])
    np.testing.assert_allclose(opengl[:3, 1], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(opengl[:3, 3], [1, 2, 3])


def test_colmap_projects_a_point_where_we_do():
    camera = Camera(300, 310, 160, 120, 320, 240, look_at((1, 2, 3), (4, 9, 2)))
    point = np.array([3.5, 8.0, 2.2])
    quaternion, translation = convention.to_colmap(camera.camera_to_world)
    x, y, z = Rotation.from_quat(np.roll(quaternion, -1)).apply(point) + translation
    uv, depth_m = camera.project(point)
    np.testing.assert_allclose([300 * x / z + 160, 310 * y / z + 120, z], [*uv, depth_m])


def test_integer_centres_see_the_top_left_pixel_half_a_pixel_away():
    k, world_to_camera = convention.to_matrix_game(Camera(100, 100, 32.0, 24.0, 64, 48, np.eye(4)))
    assert k[:2, 2].tolist() == [31.5, 23.5]
    assert k.shape == (3, 3)
    np.testing.assert_array_equal(world_to_camera, np.eye(4))


def test_a_quaternion_of_zeros_is_refused_with_advice():
    with pytest.raises(InvalidInput, match=r"not zero, found one of length 0; leave out the poses that tracking lost"):
        convention.rotation_from_quaternion(np.zeros(4))


def test_a_mirrored_world_to_camera_is_refused():
    with pytest.raises(InvalidInput, match="mirrored"):
        convention.from_matrix_game(np.eye(3), np.diag([1.0, 1, -1, 1]), 8, 8)
