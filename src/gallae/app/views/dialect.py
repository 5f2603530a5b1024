"""dialect"""

import streamlit as st

from gallae.app.language import say

st.title(say("dialect.menu"))
st.markdown(say("dialect.what"))
