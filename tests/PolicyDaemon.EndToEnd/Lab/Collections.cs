namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>The laboratory with Debian's own Postfix.</summary>
public sealed class HostPostfixLaboratory() : Laboratory(PostfixInstallation.OfTheHost);

/// <summary>The laboratory with the newer Postfix.</summary>
public sealed class NewerPostfixLaboratory() : Laboratory(PostfixInstallation.Newer);

/// <summary>All stories with Debian's own Postfix share one laboratory; each has destinations of its own in it.</summary>
[CollectionDefinition]
public sealed class HostPostfix : ICollectionFixture<HostPostfixLaboratory>;

/// <summary>All stories with the newer Postfix share one laboratory.</summary>
[CollectionDefinition]
public sealed class NewerPostfix : ICollectionFixture<NewerPostfixLaboratory>;
