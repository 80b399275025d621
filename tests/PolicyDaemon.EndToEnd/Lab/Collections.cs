using PolicyDaemon.EndToEnd.Peers;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>The laboratory with Debian's own Postfix.</summary>
public sealed class HostPostfixLaboratory() : Laboratory(PostfixInstallation.OfTheHost);

/// <summary>The laboratory with the newer Postfix.</summary>
public sealed class NewerPostfixLaboratory() : Laboratory(PostfixInstallation.Newer);

/// <summary>The laboratory of the prober's stories, with Debian's own Postfix.</summary>
public sealed class ProbingLaboratory() : Laboratory(PostfixInstallation.OfTheHost);

/// <summary>The laboratory of programs that are killed.</summary>
public sealed class KillingLaboratory() : Laboratory(PostfixInstallation.OfTheHost);

/// <summary>All stories with Debian's own Postfix share one laboratory; each has destinations of its own in it.</summary>
[CollectionDefinition]
public sealed class HostPostfix : ICollectionFixture<HostPostfixLaboratory>;

/// <summary>All stories with the newer Postfix share one laboratory.</summary>
[CollectionDefinition]
public sealed class NewerPostfix : ICollectionFixture<NewerPostfixLaboratory>;

/// <summary>The prober's stories, which mostly wait for it, have a laboratory beside the others.</summary>
[CollectionDefinition]
public sealed class Probing : ICollectionFixture<ProbingLaboratory>;

/// <summary>Nothing takes as long as this; it has a laboratory beside the others.</summary>
[CollectionDefinition]
public sealed class Killing : ICollectionFixture<KillingLaboratory>;

/// <summary>Stories with the mail servers of partners wait for other people's programs; they have a laboratory beside the others.</summary>
[CollectionDefinition]
public sealed class Peering : ICollectionFixture<PeerLaboratory>;
