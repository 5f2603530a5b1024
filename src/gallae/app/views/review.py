"""review"""

import streamlit as st

from gallae.app.language import say

st.title(say("review.menu"))
st.markdown(say("review.what"))
