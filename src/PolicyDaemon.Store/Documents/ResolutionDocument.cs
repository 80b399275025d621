namespace PolicyDaemon.Store.Documents;

/// <summary>Where mail goes, as JSON. Its time stands beside it, so that an unchanged answer is an unchanged text.</summary>
internal sealed record ResolutionDocument(
    string NextHop, int Port, string MxDnssec, bool HostIsGiven, bool IsImplicit, ResolvedHostDocument[] Hosts);
