# SPDX-License-Identifier: Apache-2.0
"""Who goes where, in what order, and what does not fit. Pure and deterministic: the
same rules as the scheduler plugin's, on a picture of the cloud.

==============  ====================================================================
preferences     what the operator's options say to it
triage          which servers are to be recovered, and the order of their asking
ground          where servers of a kind may go, before anything is taken
board           one server after the other gets a place, while what is taken grows
packing         all servers that want a place at once: as many as can be
repacking       the search for that
packed_amounts  its arithmetic
ceiling         the proof that no more can have a place
pairing         for each dead host another one that takes all of its servers
plan, explain   what stands behind a plan; why a host is a destination, or is none
losses          what would be lost if hosts died
capacity        how many hosts of a zone may die
bound           the same, without trying all of them
reserve         what admission has to know of the reserve
remedies        what is wrong with a zone's capacity, and what would mend it
==============  ====================================================================
"""
