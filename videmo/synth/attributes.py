"""The 15 open attributes: what is asked about each, in which words, and how it is answered."""

from videmo.synth.facets import (
    BODY_DOING,
    HEAD_DOING,
    MARKS,
    Facet,
    brow_state,
    direction,
    eye_shape,
    eye_state,
    eyewear,
    face_doing,
    face_showing,
    facial_hair,
    hair_words,
    jewelry,
    lips,
    mouth_corners,
    mouth_opening,
    of_person,
    of_single,
    put_on,
)

ATTRIBUTES: dict[str, tuple[Facet, ...]] = {
    "Eyes": (
        Facet(
            ("What colour are the eyes?", "Which eye colour is it?"),
            lambda clip: clip.identity.eye_colour if eye_state(clip) != "closed" else None,
            "eyes",
        ),
        Facet(("What size are the eyes?", "How large are the eyes?"), eye_shape, "eyes"),
        Facet(
            ("Are there bags under the eyes?", "What is under the eyes?"),
            lambda clip: "bags" if clip.identity.eye_bags else "no bags",
            "eyes",
        ),
    ),
    "Eyebrows": (
        Facet(("What eyebrows are these?", "What kind are the eyebrows?"), of_person("eyebrows")),
        Facet(("What do the eyebrows do?", "How are the eyebrows held?"), brow_state),
    ),
    "Mouth": (
        Facet(("What lips are these?", "How full are the lips?"), lips, "mouth"),
        Facet(("Is the mouth open?", "Is the mouth open or closed?"), mouth_opening, "mouth"),
        Facet(("How are the corners of the mouth?", "Where do the mouth's corners point?"), mouth_corners, "mouth"),
    ),
    "Nose": (Facet(("How wide is the nose?", "What width has the nose?"), of_person("nose"), "nose"),),
    "Hair": (
        Facet(("Describe the hair.", "What hair is this?"), hair_words),
        Facet(
            ("What colour is the hair?", "Which hair colour is it?"),
            lambda clip: clip.identity.hair_colour if clip.identity.hair_length != "bald" else None,
        ),
        Facet(("How long is the hair?", "What length has the hair?"), of_person("hair_length")),
        Facet(
            ("Is there a fringe?", "Are there bangs?"),
            lambda clip: "bangs" if clip.identity.bangs else "no bangs",
            "hairline",
        ),
    ),
    "Chin": (Facet(("What chin is this?", "What shape has the chin?"), of_person("chin"), "chin"),),
    "Face_shape": (Facet(("What shape has the face?", "Which face shape is it?"), of_person("face_shape"), "jaw"),),
    "Facial_features": (
        Facet(
            ("What marks are on the skin?", "Which mark does the face have?"),
            lambda clip: MARKS[clip.identity.mark],
            "cheeks",
        ),
        Facet(("What facial hair is there?", "Which beard is it?"), facial_hair),
    ),
    "Accessories": (
        Facet(("What is worn on the eyes?", "Which glasses are worn?"), eyewear),
        Facet(("What is worn on the head?", "Is a hat worn?"), put_on("hat")),
        Facet(("What jewelry is worn?", "Which jewelry is it?"), jewelry),
        Facet(("What is worn on the collar?", "Is a necktie worn?"), put_on("necktie")),
    ),
    "Age": (Facet(("What age has the person?", "How old does the person look?"), of_person("age")),),
    "Gender": (
        Facet(("Who is this?", "Is this a man or a woman?"), lambda clip: "man" if clip.identity.male else "woman"),
    ),
    "Skin": (
        Facet(("What skin tone is it?", "Which skin has the person?"), of_person("skin")),
        Facet(
            ("Are the cheeks rosy?", "How are the cheeks?"),
            lambda clip: "rosy" if "blush" in clip.accessories else "not rosy",
            "cheeks",
        ),
    ),
    "Body_actions": (Facet(("What does the person do?", "What is being done?"), of_single(BODY_DOING, "body_action")),),
    "Head_actions": (
        Facet(("How does the head move?", "What does the head do?"), of_single(HEAD_DOING, "head_action")),
        Facet(("Where does the head point?", "Which way does the head face?"), direction),
    ),
    "Facial_actions": (
        Facet(("What does the calm face do?", "Which action is on the face?"), face_doing),
        Facet(("What does the face show?", "What expression does the face make?"), face_showing),
    ),
}
