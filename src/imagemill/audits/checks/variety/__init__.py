"""Whether each class is shown in enough ways: colours, features, stages, places in the frame, light."""
