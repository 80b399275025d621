namespace PolicyDaemon.Store.Documents;

/// <summary>Which store was last loaded when another was accepted in its place: the evidence of an accept row.</summary>
internal sealed record AcceptedStoreDocument(string StoreId, long Sequence, string Hash);
