"""From a checkpoint of a run to a folder that transformers, peft, vLLM and ms-swift load without videmo."""
