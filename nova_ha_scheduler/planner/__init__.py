# SPDX-License-Identifier: Apache-2.0
"""Who goes where, in what order, and what does not fit. Pure and deterministic: the
same rules as the scheduler plugin's, on a picture of the cloud.

==============  ====================================================================
preferences     what the operator's options say to it
triage          which servers are to be recovered, and the order of their asking
ground          where servers of a kind may go, before anything is taken
board           one server after the other gets a place, while what is taken grows
packing         all servers that want a place at once: as many as can be; with
                repacking, the search for that, amounts, its arithmetic, and
                ceiling, the proof that no more can have a place
losses          what would be lost if hosts died
capacity        how many hosts of a zone may die; bound: without trying all of them
remedies        what is wrong with a zone's capacity, and what would mend it
==============  ====================================================================
"""
